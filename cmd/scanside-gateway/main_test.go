package main

import "testing"

// The commented sample is what people start from: it must be good as it is.
func TestSampleConfiguration(t *testing.T) {
	if err := (&checkConfigCommand{configFlag{"../../packaging/scanside-gateway.yaml"}}).Run(); err != nil {
		t.Error(err)
	}
}

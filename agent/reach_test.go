package agent

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"scanside/agent/status"
)

func TestReach(t *testing.T) {
	alone := tellReach(status.Reach{}, "http://127.0.0.1:8480/")
	if alone.QR != nil || alone.Sentence != "This page opens on the box itself alone, at http://127.0.0.1:8480/." {
		t.Errorf("on loopback: %q", alone.Sentence)
	}
	r := tellReach(status.Reach{URLs: []string{"http://192.0.2.7:8480/", "http://box.example.org:8480/"}}, "")
	if !strings.Contains(r.Sentence, "at http://192.0.2.7:8480/.") {
		t.Errorf("in a network: %q", r.Sentence)
	}
	if len(r.QR) == 0 || len(r.QR) > 8000 {
		t.Fatalf("a QR code of %d bytes", len(r.QR))
	}
	for d := xml.NewDecoder(bytes.NewReader(r.QR)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the QR code is no drawing: %v\n%s", err, r.QR)
		}
	}
	for _, bad := range []string{"<script", "style=", "http://192"} {
		if strings.Contains(string(r.QR), bad) {
			t.Errorf("the drawing holds %q:\n%.300s", bad, r.QR)
		}
	}
}

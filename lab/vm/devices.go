package main

import "context"

func runDevices(ctx context.Context, m *Machine, o options) error { return nil }
func runCamera(ctx context.Context, m *Machine, o options) error  { return nil }

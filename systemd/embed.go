// Package systemd holds the units: one source for packages and for `scanside service install`.
package systemd

import _ "embed"

// Unit is scanside.service.
//
//go:embed scanside.service
var Unit string

// Users is sysusers.d's line for the user that the unit names.
//
//go:embed scanside.sysusers.conf
var Users string

package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"scanside/doctor"
)

// Power reads the kernel's power supplies and voltage alarms.
func Power() doctor.Power { return power("/") }

func power(root string) doctor.Power {
	var p doctor.Power
	supplies, _ := filepath.Glob(filepath.Join(root, "sys/class/power_supply/*"))
	for _, dir := range supplies {
		s := doctor.Supply{Name: filepath.Base(dir), Percent: -1, Online: word(dir, "online") == "1", Drains: word(dir, "status") == "Discharging"}
		switch word(dir, "type") {
		case "Battery", "UPS":
			s.Battery = true
		case "Mains", "USB", "Wireless":
		default:
			continue
		}
		if word(dir, "scope") == "Device" || word(dir, "present") == "0" {
			continue // of a mouse, or an empty bay
		}
		if n, err := strconv.Atoi(word(dir, "capacity")); err == nil {
			s.Percent = n
		}
		p.Supplies = append(p.Supplies, s)
	}
	// in0_lcrit_alarm is how the kernel says "undervoltage detected" on a Raspberry Pi (driver raspberrypi-hwmon), inN_min_alarm what
	// other boards' monitors say. A monitor without alarms says nothing.
	alarms, _ := filepath.Glob(filepath.Join(root, "sys/class/hwmon/*/in*_*_alarm"))
	for _, file := range alarms {
		if base := filepath.Base(file); !strings.HasSuffix(base, "_lcrit_alarm") && !strings.HasSuffix(base, "_min_alarm") {
			continue
		}
		if text := read(file); text == "0" || text == "1" {
			name := word(filepath.Dir(file), "name")
			p.Sensors = append(p.Sensors, doctor.Sensor{Name: name + " " + strings.TrimSuffix(filepath.Base(file), "_alarm"), Low: text == "1"})
		}
	}
	return p
}

func word(dir, file string) string { return read(filepath.Join(dir, file)) }

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

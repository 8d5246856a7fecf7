package status

import "strings"

// preference is one device moved to the front of its list.
type preference struct {
	Name  string
	Order string // the names in their new order, as a configuration has them
}

// prefer proposes an order for each device that is not the first.
func prefer(devices []Device) []preference {
	var all []preference
	for i := 1; i < len(devices); i++ {
		order := []string{devices[i].Name}
		for j, d := range devices {
			if j != i {
				order = append(order, d.Name)
			}
		}
		for j, name := range order {
			if strings.ContainsAny(name, " ,:[]{}#&*!|>'\"%@`") {
				order[j] = `"` + strings.ReplaceAll(name, `"`, `\"`) + `"`
			}
		}
		all = append(all, preference{devices[i].Name, strings.Join(order, ", ")})
	}
	return all
}

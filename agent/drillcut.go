package agent

import "time"

// cutter is a network whose sockets can be black-holed: link.BoundNet is one.
type cutter interface{ Cut(on bool) }

// cutSlack is how much longer than asked for a cut may last when the loop does not end it: then it ends by itself.
const cutSlack = 2 * time.Second

// canCut reports whether the uplink's sockets can be cut from inside.
func (u *uplink) canCut() bool {
	_, err := u.network()
	u.mu.Lock()
	defer u.mu.Unlock()
	return err == nil && u.cutter != nil
}

// cut black-holes the uplink's sockets for at most so long, or gives them back. The switch is in this process's memory and nowhere
// else: whatever ends the process ends the cut.
func (u *uplink) cut(on bool, most time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cutter == nil {
		return
	}
	if u.uncut != nil {
		u.uncut.Stop()
		u.uncut = nil
	}
	u.cutter.Cut(on)
	if on {
		u.uncut = time.AfterFunc(most+cutSlack, func() { u.cut(false, 0) })
	}
}

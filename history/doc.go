// Package history keeps what a box was like in the last day, a minute at a time: which uplink carried, what it lost, how long
// voice was silent at the far end, how good the verdict was. It is what the page's graph is drawn from, and what is looked at first
// when somebody asks "what was it this morning". It holds numbers and uplinks' names, nothing of people.
//
// It is pure: time is an argument, and a [Day] is what its notes made it. The agent notes once a second, and keeps finished minutes
// in a file, a line each ([Minute.Line], [Parse]), so that a restart costs the graph at most one minute.
//
// # Rules
//
//	H1  Minutes are whole minutes of the wall clock, in UTC, in order, none twice; at most [Kept] of them.
//	H2  What was not looked at is not there: a minute counts the seconds in which the box looked, and a gap stays a gap.
//	H3  A clock that was set back adds to the newest minute there is until it has caught up.
package history

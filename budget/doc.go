// Package budget keeps the books of uplinks whose bytes cost money: how much of a billing month's allowance is used, what
// must be left out to make it last, and when it will be used up at the present rate. It is pure: time is an argument, and
// so are the bytes, which package link counts at the sockets.
//
// # Months
//
// A billing month begins on a day of the month (1 to 31; the last day, where a month is shorter) at midnight in the site's
// time zone. A [Book] is kept for each month, so that a byte is counted once whatever the clock does:
//
//   - A month ends: the next byte goes into a new book. Nothing is reset.
//   - The clock steps back into an earlier month: what was counted in later ones cannot have been later, and moves over.
//   - The clock is not set (a box without a battery, before its first answer from a time server): bytes are pending, and go
//     into the month that it is once that is known.
//   - The billing day is changed: the running month's bytes stay in the running month. Rather too many than too few.
//
// # The order of shedding
//
// [Account.Level] says how far the allowance is used; package failover acts on it, in this published order:
//
//	low    80 %   the picture's copies end; while a procedure is open they still come on doubt
//	short  90 %   no copies of the picture at all, and none of voice unless a procedure is open
//	spent  100 %  and the uplink is probed no oftener than every 10 s while it carries nothing and no procedure is open
//
// Never shed: voice while a procedure is open, and anything at all on the only uplink that works.
//
// # Forecasts
//
// The rate is that of the last day or so: it forgets with a time constant of 24 hours. Below six hours of counting nothing
// is forecast.
package budget

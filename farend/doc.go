// Package farend decides at which far end the room is. It is pure: time is an argument, and there is no clock, no I/O, no
// goroutine and no lock in it.
//
// A room is at one far end at a time: there its supervisor looks. The configuration lists far ends in order; this package
// says which one holds now ([Choice.Step]). Package failover decides between uplinks and knows nothing of far ends.
//
// # Rules
//
//	R1 The room is at exactly one far end. A link is at another one only between a move and that link's arrival.
//	R2 It moves by itself only on evidence: for a patience no link has reached the present far end by media, and another far
//	   end has been dialled with success and held for a while, in which the present one was dialled over the same uplinks and
//	   still did not answer. Uplinks that are all dead move nothing: nobody answers there.
//	R3 It stays. That an earlier one in the list is back moves nothing; an operator does, or the loss of the present one.
//	R4 Candidates are dialled in the order of the list; the first one that is proven is taken.
//	R5 Where another box serves the room at the present far end, the box does not go elsewhere: there would be two rooms.
//	R6 Each move of the last FlapMemory doubles the patience, up to LongestPatience.
//	R7 An operator's wish is fulfilled as soon as that far end answers, and given up after WishTime. While a procedure is open
//	   and the present far end is reached it is given up at once: nobody leaves a working supervisor for preference (F9).
package farend

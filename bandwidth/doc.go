// Package bandwidth estimates how much one link carries, from what the probes on it bring back. It decides nothing about
// links and does nothing else: no clock, no I/O, no goroutine. The agent's loop owns one [Estimator] per link, gives it one
// [Word] for each answered probe, and tells the failover engine the [Estimate].
//
// # What is known, and what is not
//
// A probe shares the media's path and queue, packets and probes do not overtake each other, and the answer says how many
// packets the far end had when the probe came, and by its clock when that was. So between two words it is known what left,
// what of it arrived, in how much time, and how much longer the way has become: what transport-wide feedback says, without a
// header extension on every packet and without a feedback packet.
//
// A link that carries all it is given has shown no limit. Its rate is then unknown (0), not small: a standby that carries
// voice alone has not been shown to be thin. A limit is learned only where a queue of our own grew, or where packets were
// lost by the rate, and it is the rate at which packets came out of that queue. It is never more than 1.5 times what was
// last acknowledged.
//
// # Ours or not
//
// A queue is taken for ours when the way becomes longer while we send (several words in a row, so a step of the route is
// none) or when it is long and loses packets. If we then send less than the limit and the queue does not shrink, it was not
// ours: the longer way becomes the new base, the limit is forgotten, and whoever judges round trips may judge this one. Loss
// without a queue is treated alike: a policer's loss goes when we send less, a bad radio's does not.
//
// Learned limits grow by 8 % a second while they are used, as far as they are used (draft-ietf-rmcat-gcc-02 5.5 grows at that
// pace), near where they were last met by 1 %, so that the queue is met seldom and gently. They are forgotten when they were not
// tried for a time that begins at half a minute and doubles when the link then proves thin again.
package bandwidth

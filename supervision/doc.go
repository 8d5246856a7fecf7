// Package supervision judges, moment by moment, whether qualifying virtual supervision is available in a scan room: a
// two-way path for voice and picture to a named supervisor who is present. It measures; it never claims more.
//
// [Judge] is a function of its inputs alone: no clock, no memory but the verdict before, which is one of the inputs. The
// agent's loop calls it whenever it publishes, and at least once a second, so that an input that stops coming ages into
// [Unknown] by itself.
//
// # What the inputs must be
//
// Every input carries its age, and older than [Fresh] it counts as not known: the verdict is [Unknown], never the last
// good one. The zero value of each input is "not known".
//
//   - Out, voice and picture from room to supervisor: the far end's count of the merged stream, because what was sent
//     proves nothing. Word is how old the count is; Idle how long the count has stood still.
//   - Back, voice and picture from supervisor to room: the room's own count of the merged return. Word is zero in the
//     agent, which counts them itself.
//   - Supervisor: the far end's word about the console. He is named and has signed in, the console was heard from
//     lately, and it reports that it shows the room's picture and plays its voice. A picture that reaches the gateway
//     but no console supervises nobody.
//   - Speaker: whether what plays the supervisor's voice in the room takes sound, by the box's own word. A site whose box plays
//     none says so, and nothing is asked.
//   - Muted: what people in the room have closed, by the room's own word. It needs no age.
//   - Links: how many are of use (not Down) and how many of those are proven (Up or Degraded), from the failover engine,
//     and whether on one of them the session stands that brings the return.
//
// # What READY says
//
// [Ready] is availability: nobody is talking, and if the room called, all four directions would be there. Two of them are
// measured directly, since voice and picture of the room always flow. The other two cannot be, before the supervisor turns
// his microphone and camera on; what is measured in their place is all that they need: he is present at a console that
// works, a link answers in both directions, and the return's session stands on it. Where any of these is missing the
// verdict is not Ready. [Engaged] has all four measured.
//
// Ready qualifies under a site's policy of availability. Under a policy of continuous supervision it does not, during
// contrast and observation; that comes with the procedure's phases, as do [NotReady], [Onsite], [Training] and
// [SupervisorEngagedElsewhere], which no input raises yet. They are listed because the set is closed: pages,
// metrics and alarms can be built against it now.
//
// # What never qualifies
//
// Audio only, in either direction. A camera or a microphone that is muted in the room: that is known whatever else is not. One direction only. A supervisor who has no name, or whose console is silent. Anything
// that is not known. A gap, however short: [Switching] is the first five seconds of it, and is counted as a gap.
package supervision

// Package synthetic makes RTP streams without any encoder or device, and counts at the far end what is left of them. The figures of
// every scenario come from here, so it is kept small and is tested with more care than what it measures.
//
// Voice and Video are media.Sources with the sizes and the pace of real ones. Each of their packets carries a Stamp that
// says which packet of which frame of which run it is; what goes over the network looks like Opus and H.264 but decodes to nothing.
//
// Counter is a media.Sink. It counts by the stamps where there are any, and else by what RTP itself says (sequence number, timestamp,
// marker), so that it can also watch a real encoder. What a real encoder's lost frames were is then an estimate; see Stats.
package synthetic

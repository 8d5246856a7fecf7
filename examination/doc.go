// Package examination looks at one uplink, layer by layer, and brings the findings that package diagnosis judges.
//
// # What is done, and what it costs
//
//	device, carrier, address  asked of the kernel (rtnetlink(7)): nothing is sent
//	router                    one UDP datagram and one TCP handshake to the next hop, as its neighbour entry is watched; no
//	                          privilege is needed. A refusal is an answer
//	dns                       the far end's name at each of the uplink's name servers, three at most; for a far end given by
//	                          its address, the name servers of the root: only whether anybody answers counts
//	https                     TLS and GET /healthz at the far end, without the site's token until the certificate is
//	                          trusted, then the token once; if that fails, GET over plain HTTP, where a portal shows itself
//	udp                       the question of package link at the far end's media port, three times
//
// Everything leaves by the uplink's own sockets. One examination takes 8 s at most and about 12 kB, most of it TLS, and
// asks nobody but the router, the name servers that are configured anyway, and the far end. Layers are looked at side by
// side; media is the agent's to say.
//
// # What it cannot know
//
// A network that answers DNS in everybody's place (some portals, some routers) makes the line behind it look alive. A router
// that answers nothing itself is known by its neighbour entry alone, and that only while the entry is seen to be renewed.
package examination

package status

import (
	"net/http"

	"scanside/access"
)

// route is one line of the table of everything the box answers to.
type route struct {
	pattern string       // of http.ServeMux, with its method
	may     access.Right // what whoever asks must be allowed
	serve   http.HandlerFunc
}

// routes is the whole table. Nothing is served that does not stand in it; TestEveryRoute has a line for each, and tries every
// role and method.
func (s *Server) routes() []route {
	return []route{
		{"GET /healthz", access.Open, s.health},
		{"GET /assets/{file}", access.Open, s.asset},
		{"GET /signin", access.Open, s.signInPage},
		{"POST /signin", access.Open, s.signIn},
		{"POST /signin/first", access.Open, s.setUp},
		{"POST /signout", access.Open, s.signOut},

		{"GET /{$}", access.View, s.page(s.status)},
		{"GET /events/status", access.View, s.events(s.status.event)},
		{"GET /api/v1/status", access.View, s.getStatus},
		{"GET /api/v1/events", access.View, s.events(jsonEvent)},
		{"GET /api/v1/selftest", access.View, s.selfTest},
		{"GET /api/v1/levels", access.View, s.levels},
		{"GET /api/v1/doctor", access.View, s.doctor},
		{"GET /api/v1/drill", access.View, s.drill},
		{"GET /address.svg", access.View, s.addressQR},
		{"GET /support", access.Support, s.supportPage},
		{"POST /api/v1/support-bundle", access.Support, s.makeBundle},
		{"GET /api/v1/support-bundle/{id}", access.Support, s.getBundle},
		{"GET /api/v1/history", access.View, s.history},
		{"GET /installation", access.View, s.page(s.install)},
		{"GET /events/installation", access.View, s.events(s.install.event)},
		{"GET /installation/report", access.View, s.page(s.report)},
		{"GET /api/v1/installation", access.View, s.installation},
		{"GET /metrics", access.Scrape, served(s.cfg.Metrics)},

		{"GET /room", access.Watch, s.page(s.room)},
		{"GET /events/room", access.Watch, s.events(s.room.event)},
		{"POST /room/whep", access.Watch, served(s.cfg.Room)},
		{"OPTIONS /room/whep", access.Watch, served(s.cfg.Room)},
		{"PATCH /room/session/{id}", access.Watch, served(s.cfg.Room)},
		{"DELETE /room/session/{id}", access.Watch, served(s.cfg.Room)},
		{"OPTIONS /room/session/{id}", access.Watch, served(s.cfg.Room)},

		{"POST /api/v1/preview/whep", access.Preview, s.preview},
		{"OPTIONS /api/v1/preview/whep", access.Preview, s.preview},
		{"PATCH /api/v1/preview/session/{id}", access.Preview, s.preview},
		{"DELETE /api/v1/preview/session/{id}", access.Preview, s.preview},
		{"OPTIONS /api/v1/preview/session/{id}", access.Preview, s.preview},

		{"POST /api/v1/mute", access.Mute, s.mute},
		{"POST /api/v1/procedure", access.Procedure, s.procedure},
		{"POST /api/v1/loudspeaker/{what}", access.Sound, s.loudspeaker},
		{"POST /api/v1/selftest", access.SelfTest, s.startSelfTest},
		{"POST /api/v1/pin", access.Pin, s.pin},
		{"POST /api/v1/far-end", access.FarEnd, s.moveTo},
		{"POST /api/v1/examine", access.Examine, s.examine},
		{"POST /api/v1/doctor", access.Examine, s.startDoctor},
		{"POST /api/v1/drill", access.Drill, s.startDrill},
		{"POST /api/v1/installation", access.Support, s.answer},
		{"POST /api/v1/demo/{uplink}/{what}", access.Impair, s.impair},
	}
}

func (s *Server) mux(table []route) *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range table {
		mux.HandleFunc(rt.pattern, s.guard(rt))
	}
	return mux
}

// served is a part that the box may lack.
func served(part http.Handler) http.HandlerFunc {
	if part == nil {
		return http.NotFound
	}
	return part.ServeHTTP
}

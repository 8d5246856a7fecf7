package agent

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/link"
	"scanside/media"
)

const (
	maxPreviews = 4               // pages that show the room's picture at once; each is one more leg of the encoder's stream
	previewFor  = 5 * time.Minute // a look, not a watch: DOMAIN 1.5, previews are local, time-limited and logged
)

// previews shows the room's own picture on the status page, by WHEP: POST /api/v1/preview/whep, then /api/v1/preview/session/{id}.
// It is the stream that leaves the room, not another one: what is muted or failed is seen as the far end sees it. Whoever looks is
// announced to the room as anybody else who looks in (watched.go), and no sound is given.
type previews struct {
	api   *atomic.Pointer[link.API] // of the pages; nil while there is no media port
	video *source                   // nil: the room has none
	run   string
	log   *slog.Logger
	open  *link.Resources
	wg    sync.WaitGroup

	mu    sync.Mutex
	looks map[link.Peer]string // who looks through which
}

func newPreviews(api *atomic.Pointer[link.API], video *source, run string, log *slog.Logger) *previews {
	return &previews{api: api, video: video, run: run, log: log, looks: map[link.Peer]string{}, open: link.NewResources(link.ResourcesConfig{
		Principal: previewer, Limit: maxPreviews, Log: log,
	})}
}

type previewerKey struct{}

// previewer is who a request comes from.
func previewer(r *http.Request) string {
	name, _ := r.Context().Value(previewerKey{}).(string)
	return name
}

// Preview implements status.Box: it answers a request of somebody who may look.
func (b boxed) Preview(w http.ResponseWriter, r *http.Request, by string) {
	p := b.a.previews
	r = r.WithContext(context.WithValue(r.Context(), previewerKey{}, by))
	switch {
	case r.URL.Path != "/api/v1/preview/whep":
		p.open.ServeHTTP(w, r)
	case p.video == nil:
		link.WriteProblem(w, &link.Problem{Status: http.StatusNotFound, Title: "No camera.", Detail: "The configuration names no camera, so there is no picture of the room."})
	case p.api.Load() == nil:
		link.WriteProblem(w, &link.Problem{Status: http.StatusServiceUnavailable, Title: "No media port.",
			Detail: "The box could not open a media port for its pages and keeps trying; its log says why."})
	default:
		p.open.Create(w, r, "/api/v1/preview/session", by, func(offer string) (link.Peer, string, error) { return p.accept(offer, by) })
	}
}

// accept starts one look and ends it when its time is up.
func (p *previews) accept(offer, by string) (link.Peer, string, error) {
	api := p.api.Load()
	if api == nil {
		return nil, "", errors.New("the box ends")
	}
	ask := func() { p.video.keyFrame(time.Now()) }
	one := &screen{}
	out, answer, err := api.AcceptPlay(offer, p.run, link.PlayEvents{KeyFrame: ask, Connected: ask, Repair: one.resend})
	if err != nil {
		return nil, "", err
	}
	leg := p.video.fanout.AddViewer("preview", out.Leg(media.Video))
	leg.SelectAtKeyFrame()
	one.mu.Lock()
	one.legs[media.Video] = leg
	one.mu.Unlock()
	p.mu.Lock()
	p.looks[out] = by
	p.mu.Unlock()
	p.wg.Go(func() {
		limit := time.NewTimer(previewFor)
		defer limit.Stop()
		select {
		case <-out.Done():
		case <-limit.C:
			out.Close()
		}
		leg.Close()
		p.mu.Lock()
		delete(p.looks, out)
		p.mu.Unlock()
	})
	return out, answer, nil
}

// names are those who look now, in order.
func (p *previews) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, name := range p.looks {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Run waits for ctx to end and lets all go.
func (p *previews) Run(ctx context.Context) error {
	<-ctx.Done()
	p.open.Close()
	p.wg.Wait()
	return nil
}

// lookHere notes who begins and who ceases to look at the status page's picture, and names them as the room is told.
func (l *loop) lookHere(now time.Time) []string {
	was, is := l.watched.here, l.agent.previews.names()
	for _, name := range is {
		if !slices.Contains(was, name) {
			l.tale.say(now, status.Notice, name+" looks at the room's picture on the status page.")
			l.note(audit.Viewer{Name: name, Present: true})
			l.news = true
		}
	}
	for _, name := range was {
		if !slices.Contains(is, name) {
			l.tale.say(now, status.Notice, name+" no longer looks at the room's picture on the status page.")
			l.note(audit.Viewer{Name: name})
			l.news = true
		}
	}
	l.watched.here = is
	all := make([]string, len(is))
	for i, name := range is {
		all[i] = name + " (status page)"
	}
	return all
}

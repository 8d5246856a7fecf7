package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

//go:embed page
var files embed.FS

// policy lets a page load what the gateway serves and nothing else; there is no inline script and no inline style.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Harden sets the headers that every answer carries.
func Harden(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), autoplay=(self), fullscreen=(self), display-capture=(), geolocation=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// asset is an embedded file as it is served.
type asset struct {
	text []byte
	kind string
	etag string
}

// Assets serves scripts, styles and icons under the path value "file". They hold nothing of any room.
func Assets() http.Handler {
	all := map[string]asset{}
	entries, err := files.ReadDir("page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	for _, e := range entries {
		kind := mime.TypeByExtension(path.Ext(e.Name()))
		if path.Ext(e.Name()) == ".html" {
			continue
		}
		text, err := fs.ReadFile(files, "page/"+e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(text)
		all[e.Name()] = asset{text, kind, `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a, ok := all[req.PathValue("file")]
		if !ok {
			http.NotFound(w, req)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "no-cache") // ask each time; the tag makes the answer empty
		h.Set("ETag", a.etag)
		if req.Header.Get("If-None-Match") == a.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(a.text)
	})
}

// Page answers with the console.
func Page(w http.ResponseWriter, req *http.Request) { html(w, http.StatusOK, "console.html", nil) }

// SignIn answers with the sign-in form; trouble says what went wrong before, "" if nothing did.
func SignIn(w http.ResponseWriter, status int, trouble string) {
	html(w, status, "signin.html", struct{ Trouble string }{trouble})
}

// Once answers with a form that posts a one-time code by itself, or by a button where scripts are off.
func Once(w http.ResponseWriter, code string) {
	html(w, http.StatusOK, "once.html", struct{ Code string }{code})
}

func html(w http.ResponseWriter, status int, name string, data any) {
	t, err := template.ParseFS(files, "page/"+name)
	var page bytes.Buffer
	if err == nil {
		err = t.Execute(&page, data)
	}
	if err != nil {
		http.Error(w, "the page is broken", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

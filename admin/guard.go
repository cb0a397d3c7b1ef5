package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// bodyBytesMax bounds the body of an order. The longest order names one backend; 4 KiB leaves room for fields to come.
const bodyBytesMax = 4 << 10

// guarded puts the checks that every request must pass in front of next: the Host allow-list, which stops a web page whose
// name was rebound to our address, and the cross-origin check, which stops forms and scripts of other sites. A browser cannot
// reach a unix socket, so there the Host header proves nothing and is not looked at.
func (s *Server) guarded(next http.Handler, unixSocket bool) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if !unixSocket && !s.hostAllowed(r.Host) {
			newProblem(http.StatusForbidden, CodeForbidden, fmt.Sprintf("host %q is not one of this daemon's names", r.Host)).write(w)
			return
		}
		if err := origin.Check(r); err != nil {
			newProblem(http.StatusForbidden, CodeForbidden, err.Error()).write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostAllowed accepts every IP literal: rebinding needs a name, because a page's origin is the name it was loaded from.
func (s *Server) hostAllowed(host string) bool {
	key := hostKey(host)
	if s.hosts[key] {
		return true
	}
	_, err := netip.ParseAddr(key)
	return err == nil
}

// hostKey reduces a Host header to the name or address in it.
func hostKey(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// authorized lets a request pass that carries the bearer token, if one is asked for. Hashes are compared, so that neither the
// time nor the length of the comparison depends on the token.
func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	if s.token == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(token))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], s.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="holdfast"`)
			newProblem(http.StatusUnauthorized, CodeUnauthorized, "the bearer token is missing or wrong").write(w)
			return
		}
		next(w, r)
	}
}

// checkQuery returns a problem if the query carries a parameter that is not in known, or one twice: a misspelt parameter that
// is ignored would turn a careful order into a careless one.
func checkQuery(r *http.Request, known ...string) *Problem {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("read query: %v", err))
	}
	for name, values := range query {
		switch {
		case !slices.Contains(known, name):
			return newProblem(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("unknown query parameter %q", name))
		case len(values) > 1:
			return newProblem(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("query parameter %q is given %d times", name, len(values)))
		}
	}
	return nil
}

// readOrder decodes the body of a POST into order, which may be empty. The content type is asked for even then: a page of another site
// cannot send it without the browser asking us first, and we never agree.
func readOrder(w http.ResponseWriter, r *http.Request, order any) *Problem {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, CodeBadRequest, "the header Content-Type: application/json is required")
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	dec.DisallowUnknownFields()
	var tooLong *http.MaxBytesError
	switch err := dec.Decode(order); {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLong):
		return newProblem(http.StatusRequestEntityTooLarge, CodeBadRequest, fmt.Sprintf("the body is longer than %d bytes", tooLong.Limit))
	case err != nil:
		return newProblem(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("read body: %v", err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return newProblem(http.StatusBadRequest, CodeBadRequest, "read body: something follows the JSON object")
	}
	return nil
}

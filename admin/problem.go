package admin

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Problem is the body of every answer that is not a success (RFC 9457). Code is the stable part: programs act on it and
// never on Title or Detail.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   Code   `json:"code"`
}

// Code names one kind of problem.
type Code string

// The codes, each with the status it is answered with.
const (
	CodeNotFound     Code = "not_found"          // 404: no such pool, backend or path
	CodeConflict     Code = "conflict"           // 409: the state of the pool does not allow the order now
	CodeRefused      Code = "refused"            // 422: a safety rule forbids the order, nothing was changed
	CodeTimeout      Code = "timeout"            // 504: the order is still under way
	CodeInternal     Code = "internal"           // 500: the order failed
	CodeNotReady     Code = "not_ready"          // 503: neither serving nor holding is possible
	CodeBadRequest   Code = "bad_request"        // 400, 413 or 415: the request cannot be understood
	CodeUnauthorized Code = "unauthorized"       // 401: the bearer token is missing or wrong
	CodeForbidden    Code = "forbidden"          // 403: another site is behind the request, or the Host is not ours
	CodeNoSuchMethod Code = "method_not_allowed" // 405
)

// Error makes a Problem usable as the error of a client.
func (p *Problem) Error() string { return p.Detail }

// problemType is the prefix of the type URIs. A tag URI needs no server, and the documentation lists each.
const problemType = "tag:holdfast,2025:problem:"

func newProblem(status int, code Code, detail string) *Problem {
	return &Problem{Type: problemType + string(code), Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// problemOf classifies what an Operator returned.
func problemOf(err error) *Problem {
	switch {
	case errors.Is(err, ErrNotFound):
		return newProblem(http.StatusNotFound, CodeNotFound, err.Error())
	case errors.Is(err, ErrConflict):
		return newProblem(http.StatusConflict, CodeConflict, err.Error())
	case errors.Is(err, ErrRefused):
		return newProblem(http.StatusUnprocessableEntity, CodeRefused, err.Error())
	case errors.Is(err, ErrTimeout):
		return newProblem(http.StatusGatewayTimeout, CodeTimeout, err.Error())
	default:
		return newProblem(http.StatusInternalServerError, CodeInternal, err.Error())
	}
}

func (p *Problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	encode(w, p)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	encode(w, v)
}

// encode drops the error: the status line is gone by now, and a client that hung up is not worth a word.
func encode(w http.ResponseWriter, v any) {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v)
}

package resp

// ScanGuest is Scan for a client that has not given the password its server asks for: within the limits that the server
// has for such clients, and with its texts. Stream goes on within the same limits.
func (r *Request) ScanGuest(p []byte) (n int, v Verdict) {
	if r.at == requestDone {
		r.Reset()
	}
	r.guest = true
	return r.Scan(p)
}

// GuestFault says that the request would have been taken of a client that had given the password.
func (r *Request) GuestFault() bool {
	return r.at == requestBad && (r.fault == faultGuestArgc || r.fault == faultGuestBulk)
}

// Authed says that the server has confirmed a login.
func (c *Conv) Authed() bool { return c.state != nil && c.state.authed }

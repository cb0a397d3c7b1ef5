package chaos

// workload is a kind of client.
type workload struct {
	name    string
	text    string
	clients int
	open    func(w *crew) book
}

// workloads are all kinds. The numbers keep some forty clients busy, the cheap kinds more of them.
func workloads() []workload {
	return []workload{
		{"list", "RPUSH of unique ids to one list, the reply is the place", 4, func(*crew) book { return &listBook{} }},
		{"set", "SADD of unique ids", 3, func(*crew) book { return &setBook{} }},
		{"counter", "INCR of one counter, the reply is the count", 3, func(*crew) book { return &counterBook{} }},
		{"register", "SET and GET of shared keys, linearizable", 6, func(*crew) book { return &registerBook{} }},
	}
}

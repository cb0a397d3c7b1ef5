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
		{"pipeline", "pipelines of 100 appends; what is executed is a prefix", 2, func(*crew) book { return &pipelineBook{} }},
		{"queue", "RPUSH and BLPOP of jobs, each delivered once", 4, func(*crew) book { return &queueBook{} }},
		{"bank", "transfers in MULTI blocks, the sum is always zero", 3, func(*crew) book { return &bankBook{} }},
		{"cas", "WATCH, GET, MULTI, SET, EXEC on one counter", 3, func(*crew) book { return &casBook{} }},
		{"wait", "RPUSH and WAIT 1; what a replica has survives", 2, func(*crew) book { return &waitBook{} }},
		{"big", "values around 16, 32, 64, 128 KiB and 1 MiB, every byte checked", 2, func(*crew) book { return &bigBook{} }},
		{"pubsub", "PUBLISH and SUBSCRIBE, RESP2 and RESP3", 4, func(*crew) book { return &pubsubBook{} }},
		{"tracking", "caches that follow invalidations", 3, func(*crew) book { return &trackingBook{} }},
		{"register", "SET and GET of shared keys, linearizable", 6, func(*crew) book { return &registerBook{} }},
	}
}

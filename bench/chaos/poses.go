package chaos

import (
	"fmt"
	"strconv"
	"time"
)

// Sizes of what is half sent or half received when the fault strikes, in bytes: within one buffer, and moved by the kernel.
const (
	poseSmall = 2000
	poseLarge = 200 << 10
	poseHuge  = 1 << 20
)

// poses are the phases of a request. Each is made anew for each cycle. The silent one comes first, so that its write is over when
// the fault strikes: nobody could be told that it became unknown.
func poses() []*pose {
	return []*pose{
		poseSilent(), poseIdle(), interrupted("mid-header", 9, poseSmall), interrupted("mid-body", poseSmall/2, poseSmall),
		interrupted("mid-large-body", poseLarge/2, poseLarge), poseReply(), poseMulti(), poseWatch(), poseBlocked(), poseSubscribed(),
	}
}

// poseIdle has nothing under way.
func poseIdle() *pose {
	return &pose{name: "idle", begin: func(*pose) error { return nil },
		end: func(s *pose, c *cycle, _ *judge) error {
			if err := s.wire.send([]string{"ECHO", s.key}); err != nil {
				return err
			}
			v, err := s.answer(c)
			if err == nil && !v.isError() && v.text != s.key {
				err = fmt.Errorf("%w: %s", errPose, v)
			}
			return err
		}}
}

// poseReply has asked for a large value and takes nothing of it until after the fault.
func poseReply() *pose {
	body := bigValue(2, poseHuge)
	return &pose{name: "mid-reply", large: true,
		begin: func(s *pose) error {
			if _, err := s.wire.must("SET", s.key, body); err != nil {
				return err
			}
			return s.wire.send([]string{"GET", s.key})
		},
		end: func(s *pose, c *cycle, j *judge) error {
			v, err := s.answer(c)
			if err != nil || v.isError() {
				return err
			}
			j.verdicts.checked(I2, 1)
			if v.null && j.flushed == (span{}) {
				j.lose(never, "poised mid-reply: the value is gone")
			} else if !v.null && v.text != body {
				j.verdicts.broken(I2, "poised mid-reply: %d bytes, %s", len(v.text), clip(v.text))
			}
			return nil
		}}
}

// poseMulti has a block open, with one command in it.
func poseMulti() *pose {
	return &pose{name: "in-multi",
		begin: func(s *pose) error {
			if _, err := s.wire.must("MULTI"); err != nil {
				return err
			}
			_, err := s.wire.must("RPUSH", s.key, "first")
			return err
		},
		end: func(s *pose, c *cycle, _ *judge) error {
			if err := s.wire.send([]string{"RPUSH", s.key, "second"}, []string{"EXEC"}); err != nil {
				return err
			}
			if _, err := s.answer(c); err != nil {
				return err
			}
			v, err := s.settle(c)
			if err == nil && v.null {
				s.final = fail
			}
			return err
		},
		check: func(s *pose, final *wire, j *judge) error {
			have, err := s.list(final)
			s.agrees(have, []string{"first", "second"}, j)
			return err
		}}
}

// poseWatch watches a key. On another master nobody knows whether it changed, so EXEC must say that it did.
func poseWatch() *pose {
	return &pose{name: "after-watch",
		begin: func(s *pose) error {
			for _, request := range [][]string{{"WATCH", s.key}, {"GET", s.key}} {
				if _, err := s.wire.must(request...); err != nil {
					return err
				}
			}
			return nil
		},
		end: func(s *pose, c *cycle, j *judge) error {
			if err := s.wire.send([]string{"MULTI"}, []string{"RPUSH", s.key, "watched"}, []string{"EXEC"}); err != nil {
				return err
			}
			for range 2 {
				if _, err := s.answer(c); err != nil {
					return err
				}
			}
			v, err := s.settle(c)
			j.verdicts.checked(I13, 1)
			if err == nil && v.null {
				s.final = fail
			} else if err == nil && !v.isError() && j.promotions > 0 {
				j.verdicts.broken(I13, "poised after-watch: EXEC answered %s after a failover", v)
			}
			return err
		},
		check: func(s *pose, final *wire, j *judge) error {
			have, err := s.list(final)
			s.agrees(have, []string{"watched"}, j)
			return err
		}}
}

// poseBlocked waits for an element, which comes after the fault.
func poseBlocked() *pose {
	return &pose{name: "blocked",
		begin: func(s *pose) error { return s.wire.send([]string{"BLPOP", s.key, "0"}) },
		end: func(s *pose, c *cycle, j *judge) error {
			if early, err := s.wire.waiting(time.Millisecond); early || err != nil {
				if err == nil {
					_, err = s.answer(c) // told that its outcome is unknown
				}
				return err
			}
			if err := s.wire.SetDeadline(time.Now().Add(poisedMax)); err != nil {
				return err
			}
			if err := c.onMaster("RPUSH", s.key, "job"); err != nil {
				return err
			}
			v, err := s.answer(c)
			j.verdicts.checked(I18, 1)
			if err == nil && !v.isError() && (len(v.items) != 2 || v.items[1].text != "job") {
				j.verdicts.broken(I18, "poised blocked: BLPOP answered %s", v)
			}
			return err
		}}
}

// poseSubscribed listens to a channel on which the first message comes after the fault.
func poseSubscribed() *pose {
	return &pose{name: "subscribed",
		begin: func(s *pose) error {
			if err := s.wire.send([]string{"SUBSCRIBE", s.key}); err != nil {
				return err
			}
			_, err := s.wire.frame(0)
			return err
		},
		end: func(s *pose, c *cycle, j *judge) error {
			if err := c.onMaster("PUBLISH", s.key, "hello"); err != nil {
				return err
			}
			v, err := s.wire.frame(0)
			j.verdicts.checked(I17, 1)
			if err == nil && (len(v.items) != 3 || v.items[2].text != "hello") {
				j.verdicts.broken(I17, "poised subscribed: heard %s", v)
			}
			return err
		}}
}

// poseSilent has switched its replies off and written once. Whatever happened to its writes, they are in order and nothing but the
// answer to the last command comes.
func poseSilent() *pose {
	return &pose{name: "reply-off",
		begin: func(s *pose) error {
			return s.wire.send([]string{"CLIENT", "REPLY", "OFF"}, []string{"RPUSH", s.key, "0"})
		},
		end: func(s *pose, c *cycle, _ *judge) error {
			err := s.wire.send([]string{"RPUSH", s.key, "1"}, []string{"CLIENT", "REPLY", "ON"}, []string{"ECHO", s.key})
			if err != nil {
				return err
			}
			for _, want := range []string{"OK", s.key} {
				v, err := s.answer(c)
				if err == nil && v.text != want {
					err = fmt.Errorf("%w: %s, want %s", errPose, v, want)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
		check: func(s *pose, final *wire, j *judge) error {
			have, err := s.list(final)
			for i, id := range have {
				if n, _ := strconv.Atoi(id); i > 0 && id <= have[i-1] || n > 1 {
					j.verdicts.broken(I3, "poised reply-off: holds %v", have)
				}
			}
			return err
		}}
}

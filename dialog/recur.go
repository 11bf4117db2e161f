package dialog

import "context"

// Recur is Exchange for whoever says much the same over and over: the turns and
// their replies hold until the next exchange, which takes their memory.
func (s *Session) Recur(ctx context.Context, steps ...Step) ([]Turn, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	if s.bound != ctx.Done() {
		s.unbind()
	}
	old := s.turns
	if cap(s.turns) < len(steps) {
		s.turns = make([]Turn, len(steps), max(len(steps), 8))
	}
	s.turns = s.turns[:len(steps)]
	for i, step := range steps {
		var replies []Reply
		if i < cap(old) {
			replies = old[:cap(old)][i].Replies[:0]
		}
		s.turns[i] = Turn{Step: step, Replies: replies}
	}
	s.bind(ctx)
	err := s.perform(ctx, s.turns)
	if err == nil && s.conn.settles() {
		return s.turns, nil
	}
	turns := s.conn.settled(s.turns)
	s.turns = nil
	return turns, err
}

// settles reports whether no reply is owed, and none can come.
func (c *conn) settles() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.owed) == 0 && !c.early && !c.broken
}

// bind has the end of ctx end every write, until unbind.
func (s *Session) bind(ctx context.Context) {
	c := s.conn
	c.mu.Lock()
	c.cut = c.cut && ctx.Err() != nil
	c.mu.Unlock()
	if s.release != nil || ctx.Done() == nil {
		return
	}
	released := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		c.unblock()
		c.mu.Unlock()
		close(released)
	})
	s.bound = ctx.Done()
	s.release = func() {
		if !stop() {
			<-released
		}
	}
}

// unbind takes bind back.
func (s *Session) unbind() {
	if s.release == nil {
		return
	}
	s.release()
	s.release, s.bound = nil, nil
}

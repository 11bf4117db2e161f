package mime

func (m *Message) sevenBit(all stretch)     {}
func downgraded(p stretch) (stretch, error) { return p, nil }

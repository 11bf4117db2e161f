package cmd

// descriptors is nil: there is no limit.
func (b *benching) descriptors() error { return nil }

package cmd

import (
	"context"
	"errors"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// outlook is what a command that converses needs: the network, and where it shows
// what happens.
type outlook struct {
	*network
	stream   *transcript.Stream
	progress *progress
	finish   func() error
	peers    *peers
}

// open makes ready what the flags ask for. An error is for the user's eyes.
func (r *run) open(ctx context.Context) (*outlook, error) {
	w := &outlook{}
	colored, err := transcript.Color(r.String("color"), r.Getenv, r.ErrWidth > 0)
	if err != nil {
		return nil, err
	}
	if w.progress = newProgress(r.Env, colored); w.progress != nil {
		context.AfterFunc(ctx, w.progress.wipe)
	}
	if w.stream, w.finish, err = r.output(w.progress.clear); err != nil {
		w.progress.close()
		return nil, err
	}
	if w.network, err = r.network(ctx, w.stream, w.progress); err != nil {
		w.progress.close()
		return nil, err
	}
	w.peers = &peers{path: r.String("tls-get-peer-chain")}
	w.Visited = w.peers.add
	return w, nil
}

// close ends the world and writes what is held back. The error is an
// *outputError.
func (w *outlook) close() error {
	w.progress.close()
	w.network.close()
	if err := w.peers.save(); err != nil {
		return errors.Join(err, w.finish())
	}
	return w.finish()
}

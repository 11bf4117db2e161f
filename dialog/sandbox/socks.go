package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// The replies of RFC 1928 section 6 that the server uses.
const (
	socksGranted     = 0
	socksNotAllowed  = 2 // by the ruleset: outside the world
	socksUnreachable = 4 // no such host
	socksRefused     = 5
	socksNoCommand   = 7
	socksNoAddress   = 8 // address type
)

// socksTime bounds the negotiation, not the connection.
const socksTime = 30 * time.Second

// serveSOCKS starts the SOCKS server where one is asked for.
func (w *World) serveSOCKS() error {
	if w.opt.SOCKSAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", w.opt.SOCKSAddr)
	if err != nil {
		return fmt.Errorf("sandbox: SOCKS server: %w", err)
	}
	w.socks = l
	w.accept(l, w.socksConn)
	return nil
}

// socksConn serves one client: version 5, no authentication, CONNECT only
// (RFC 1928), and only to what Dial reaches.
func (w *World) socksConn(c *net.TCPConn) {
	_ = c.SetDeadline(time.Now().Add(socksTime))
	addr, code, err := socksRequest(c)
	if err != nil {
		return
	}
	var far *net.TCPConn
	if code == socksGranted {
		far, code = w.socksDial(addr)
	}
	// BND.ADDR and BND.PORT would be ours; 0.0.0.0:0 says nothing of them.
	_, err = c.Write([]byte{5, byte(code), 0, 1, 0, 0, 0, 0, 0, 0})
	if far == nil {
		return
	}
	_ = c.SetDeadline(time.Time{})
	sent, answered := make(chan struct{}), make(chan struct{})
	ok := w.run(far, func() {
		pour(c, far)
		close(answered)
		<-sent
	})
	if !ok {
		return
	}
	if err == nil {
		pour(far, c)
	} else {
		_ = far.Close()
	}
	close(sent)
	<-answered
}

// pour copies until src ends and passes that end on, a reset as a reset.
func pour(dst, src *net.TCPConn) {
	if _, err := io.Copy(dst, src); errors.Is(err, syscall.ECONNRESET) {
		_ = dst.SetLinger(0)
		_ = dst.Close()
		return
	}
	_ = dst.CloseWrite()
}

// socksDial connects to addr and says how that went.
func (w *World) socksDial(addr string) (*net.TCPConn, int) {
	far, err := w.Dial(w.ctx, "tcp", addr)
	switch {
	case err == nil:
		return far.(*conn).TCPConn, socksGranted
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, socksRefused
	case errors.Is(err, syscall.ENETUNREACH):
		return nil, socksNotAllowed
	default:
		return nil, socksUnreachable
	}
}

// socksRequest reads the negotiation and the request: the host:port asked for,
// and the code to refuse it with if it cannot be granted at all. An error means
// that the client does not speak SOCKS 5 or offers no way without a password.
func socksRequest(c io.ReadWriter) (addr string, code int, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return "", 0, err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(c, methods); err != nil {
		return "", 0, err
	}
	if head[0] != 5 {
		return "", 0, fmt.Errorf("socks version %d", head[0])
	}
	open := false
	for _, m := range methods {
		open = open || m == 0
	}
	if !open {
		_, _ = c.Write([]byte{5, 0xff})
		return "", 0, errors.New("no acceptable method")
	}
	if _, err := c.Write([]byte{5, 0}); err != nil {
		return "", 0, err
	}
	req := make([]byte, 4)
	if _, err := io.ReadFull(c, req); err != nil {
		return "", 0, err
	}
	size := 0
	switch req[3] {
	case 1:
		size = 4
	case 3:
		if _, err := io.ReadFull(c, head[:1]); err != nil {
			return "", 0, err
		}
		size = int(head[0])
	case 4:
		size = 16
	default:
		return "", socksNoAddress, nil
	}
	rest := make([]byte, size+2)
	if _, err := io.ReadFull(c, rest); err != nil {
		return "", 0, err
	}
	name := string(rest[:size])
	if req[3] != 3 {
		a, _ := netip.AddrFromSlice(rest[:size])
		name = a.String()
	}
	if req[1] != 1 {
		code = socksNoCommand
	}
	return net.JoinHostPort(name, strconv.Itoa(int(binary.BigEndian.Uint16(rest[size:])))), code, nil
}

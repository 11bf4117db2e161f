// Command floor is the least that a program of ehlo's libraries can cost: it uses each
// of the four once and ends, or goes on to deliver one message, pipelined and with the
// replies in colour.
//
//	-to HOST:PORT   where the message goes; without it nothing is sent
//	-tls            by STARTTLS, with any certificate
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/fatih/color"
	"github.com/jhillyerd/enmime/v2"
	"github.com/miekg/dns"
	"github.com/urfave/cli/v2"
)

func main() {
	app := &cli.App{
		Flags:  []cli.Flag{&cli.StringFlag{Name: "to"}, &cli.BoolFlag{Name: "tls"}},
		Action: func(c *cli.Context) error { return run(c.String("to"), c.Bool("tls")) },
	}
	if err := app.Run(os.Args); err != nil {
		log.Fatal(err)
	}
}

func run(addr string, secure bool) error {
	question := new(dns.Msg).SetQuestion("sink.test.", dns.TypeMX)
	if _, err := question.Pack(); err != nil {
		return err
	}
	part, err := enmime.Builder().From("", "a@client.test").To("", "b@sink.test").Subject("floor").Text([]byte("hello\r\n")).Build()
	if err != nil {
		return err
	}
	var message bytes.Buffer
	if err := part.Encode(&message); err != nil {
		return err
	}
	d := &dialogue{out: bufio.NewWriter(os.Stdout), green: color.New(color.FgGreen)}
	defer d.out.Flush()
	if addr == "" {
		_, err := d.green.Fprintln(d.out, "nothing is sent")
		return err
	}
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	d.over(nc)
	d.say("", 1)
	d.say("EHLO client.test\r\n", 1)
	if secure {
		d.say("STARTTLS\r\n", 1)
		d.over(tls.Client(nc, &tls.Config{InsecureSkipVerify: true}))
		d.say("EHLO client.test\r\n", 1)
	}
	d.say("MAIL FROM:<a@client.test>\r\nRCPT TO:<b@sink.test>\r\nDATA\r\n", 3)
	d.say(message.String()+"\r\n.\r\nQUIT\r\n", 2)
	return d.err
}

// dialogue is a connection, and what went wrong on it.
type dialogue struct {
	nc    net.Conn
	in    *bufio.Reader
	out   *bufio.Writer
	green *color.Color
	err   error
}

func (d *dialogue) over(nc net.Conn) { d.nc, d.in = nc, bufio.NewReader(nc) }

// say writes text in one write and shows so many replies.
func (d *dialogue) say(text string, replies int) {
	if d.err == nil {
		fmt.Fprint(d.out, "> ", text)
		_, d.err = d.nc.Write([]byte(text))
	}
	for replies > 0 && d.err == nil {
		var line string
		line, d.err = d.in.ReadString('\n')
		d.green.Fprint(d.out, "< ", line)
		switch {
		case len(line) < 4 || line[0] > '3':
			d.err = fmt.Errorf("the reply is %q", line)
		case line[3] == ' ':
			replies--
		}
	}
}

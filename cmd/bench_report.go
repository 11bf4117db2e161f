package cmd

import (
	"crypto/tls"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/load"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// benchResult is the document of bench.
type benchResult struct {
	Schema string `json:"schema"` // "ehlo.bench/1"
	OK     bool   `json:"ok"`
	verdict
	benchReport
	TookMS float64 `json:"took_ms"`
	lines  []transcript.Line
}

// Kind is that of a result.
func (benchResult) Kind() string { return transcript.ResultKind }

// Lines is the closing block.
func (r benchResult) Lines() []transcript.Line { return r.lines }

// benchReport is what was measured.
type benchReport struct {
	Target      string           `json:"target"`
	Host        string           `json:"host,omitempty"`
	Address     string           `json:"address,omitempty"`
	Sessions    int              `json:"sessions"`
	GaveUp      int64            `json:"gave_up"`
	Messages    benchMessages    `json:"messages"`
	Recipients  int64            `json:"recipients"`
	Bytes       int64            `json:"bytes"`
	Connections int64            `json:"connections"`
	LoadMS      float64          `json:"load_ms"`
	PerSecond   int64            `json:"per_second"`
	Latency     []benchLatency   `json:"latency"`
	Histogram   []benchBar       `json:"histogram"`
	Errors      []benchError     `json:"errors"`
	Thresholds  []benchThreshold `json:"thresholds"`
	about       []string
}

type benchMessages struct {
	Tried    int64 `json:"tried"`
	Accepted int64 `json:"accepted"`
	Deferred int64 `json:"deferred"`
	Refused  int64 `json:"refused"`
	Unknown  int64 `json:"unknown"`
	Failed   int64 `json:"failed"`
	Late     int64 `json:"late"`
	Left     int64 `json:"left"`
}

type benchLatency struct {
	What   string  `json:"what"`
	Count  int64   `json:"count"`
	MinMS  float64 `json:"min_ms"`
	MeanMS float64 `json:"mean_ms"`
	P50MS  float64 `json:"p50_ms"`
	P90MS  float64 `json:"p90_ms"`
	P99MS  float64 `json:"p99_ms"`
	P999MS float64 `json:"p999_ms"`
	MaxMS  float64 `json:"max_ms"`
}

type benchBar struct {
	FromMS float64 `json:"from_ms"`
	ToMS   float64 `json:"to_ms"`
	Count  int64   `json:"count"`
}

type benchError struct {
	Phase dialog.Phase `json:"phase"`
	Codes string       `json:"codes,omitempty"`
	Text  string       `json:"text"`
	Count int64        `json:"count"`
}

type benchThreshold struct {
	Text     string `json:"text"`
	Broken   string `json:"broken,omitempty"`
	Untested bool   `json:"untested,omitempty"` // nothing was measured for it
}

// Kind is that of a report.
func (benchReport) Kind() string { return transcript.ReportKind }

// Lines is a head, a table of latencies, a histogram, and what went wrong.
func (r benchReport) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.Head, Label: r.Target, Aside: strings.Join(r.about, " · ")}}
	if len(r.Latency) > 0 {
		lines = append(lines, transcript.Line{Mark: transcript.RowHead, Cells: []string{"LATENCY", "MIN", "P50", "P90", "P99", "P99.9", "MAX"}})
		for _, l := range r.Latency {
			cells := []string{l.What}
			for _, ms := range []float64{l.MinMS, l.P50MS, l.P90MS, l.P99MS, l.P999MS, l.MaxMS} {
				cells = append(cells, strconv.FormatFloat(ms, 'f', 2, 64))
			}
			lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: cells})
		}
	}
	if len(r.Histogram) > 0 {
		lines = append(lines, transcript.Line{Mark: transcript.Blank}, transcript.Line{Mark: transcript.RowHead, Cells: []string{"MS", "MESSAGES"}})
		most := int64(1)
		for _, b := range r.Histogram {
			most = max(most, b.Count)
		}
		for _, b := range r.Histogram {
			const full = 40 // columns
			bar := strings.Repeat("█", int((b.Count*full+most-1)/most))
			lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{plainMS(b.FromMS) + "–" + plainMS(b.ToMS), strconv.FormatInt(b.Count, 10), bar}})
		}
	}
	for _, e := range r.Errors {
		text := strings.TrimSpace(e.Codes + " " + e.Text)
		lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: fmt.Sprintf("%s times, %s: %s", grouped(e.Count), moment(e.Phase), text)})
	}
	if r.GaveUp > 0 {
		lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: counted(r.GaveUp, "session") + " gave up, as connection after connection carried no message"})
	}
	if r.Messages.Late > 0 {
		lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: fmt.Sprintf("the rate was not reached: %s due and not sent, as no session was free", were(r.Messages.Late))})
	}
	for _, t := range r.Thresholds {
		switch {
		case t.Broken != "":
			lines = append(lines, transcript.Line{Mark: transcript.Failure, Text: t.Broken + ", against " + t.Text})
		case t.Untested:
			lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: t.Text + " is not tested: there was nothing to measure"})
		}
	}
	return lines
}

func plainMS(ms float64) string { return strconv.FormatFloat(ms, 'g', -1, 64) }

// document is the outcome of the run.
func (b *benching) document(r *load.Result, hop reach.Hop, err error) benchResult {
	d := benchResult{Schema: "ehlo.bench/1"}
	d.benchReport = benchReport{
		Target: b.target.Text, Host: hop.Host, Sessions: b.offer.Sessions,
		Latency: []benchLatency{}, Histogram: []benchBar{}, Errors: []benchError{}, Thresholds: []benchThreshold{},
	}
	if hop.Addr.IsValid() {
		d.Address = hop.Addr.String()
	}
	if r == nil {
		d.verdict = b.advise(judge(err, b.target.Text))
		return d
	}
	d.measured(r)
	d.Messages.Left = b.left(r)
	d.about = b.about(r)
	for _, t := range b.thresholds {
		d.Thresholds = append(d.Thresholds, benchThreshold{t.Text, t.Broken(r), !t.Measured(r)})
	}
	d.verdict = b.judge(r, d.Thresholds)
	d.OK = d.Status == StatusDone
	return d
}

func (d *benchReport) measured(r *load.Result) {
	d.Messages = benchMessages{r.Messages(), r.Accepted, r.Deferred, r.Refused, r.Unknown, r.Failed, r.Late, 0}
	d.Recipients, d.Bytes, d.Connections, d.GaveUp = r.Recipients, r.Bytes, r.Connections, r.GaveUp
	d.LoadMS, d.PerSecond = transcript.Millis(r.Took), int64(r.Speed()+0.5)
	row := func(what string, h *load.Histogram) {
		if h.Count() == 0 {
			return
		}
		ms := func(t time.Duration) float64 { return transcript.Millis(t) }
		d.Latency = append(d.Latency, benchLatency{
			What: what, Count: h.Count(), MinMS: ms(h.Min()), MeanMS: ms(h.Mean()), P50MS: ms(h.Quantile(0.5)), P90MS: ms(h.Quantile(0.9)),
			P99MS: ms(h.Quantile(0.99)), P999MS: ms(h.Quantile(0.999)), MaxMS: ms(h.Max()),
		})
	}
	for _, p := range load.Phases() {
		row(load.Name(p), &r.Latency[p])
	}
	row("message", &r.Whole)
	for _, bar := range r.Whole.Bars() {
		d.Histogram = append(d.Histogram, benchBar{transcript.Millis(bar.From), transcript.Millis(bar.To), bar.Count})
	}
	for _, f := range r.Faults() {
		d.Errors = append(d.Errors, benchError{f.Phase, f.Codes, f.Text, f.Times})
	}
}

// about says how the messages went, for the head.
func (b *benching) about(r *load.Result) []string {
	about := []string{counted(int64(b.offer.Sessions), "session")}
	if b.offer.PerConn > 0 {
		about = append(about, counted(int64(b.offer.PerConn), "message")+" a connection")
	}
	if b.offer.Rate > 0 {
		about = append(about, strconv.FormatFloat(b.offer.Rate, 'g', -1, 64)+" a second")
	}
	offers := r.Report.Offers
	if len(offers) == 0 {
		return about
	}
	last := offers[len(offers)-1]
	way := "lockstep"
	if _, ok := last.Find("PIPELINING"); ok && !b.offer.Lockstep {
		way = "PIPELINING"
	}
	about = append(about, way)
	if _, ok := last.Find("CHUNKING"); ok && b.Session.Chunking != dialog.Never {
		about = append(about, "BDAT")
	}
	if t := r.Report.TLS; t != nil {
		about = append(about, tls.VersionName(t.Version))
	}
	return about
}

func were(n int64) string {
	if n == 1 {
		return "1 message was"
	}
	return counted(n, "message") + " were"
}

func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

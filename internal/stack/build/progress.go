package build

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// On a terminal one line changes every second; elsewhere, in a CI log, a new line comes
// every ten seconds.
const (
	terminalEvery = time.Second
	logEvery      = 10 * time.Second
)

// progress tells how far one build is, from its first second: nothing may look hung.
type progress struct {
	out      io.Writer
	terminal bool
	what     string // e.g. "building the local Temporal server"
	total    int    // how many packages there are, about; what is cached is not built
	last     string // the package that is built last, after which comes linking
	started  time.Time

	mu         sync.Mutex
	downloaded int
	packages   int
	linking    bool

	stop    chan struct{}
	stopped chan struct{} // closed by run
	shown   bool          // written by run
}

// start begins to report to out until end is called.
func start(out io.Writer, what string, total int, last string) *progress {
	p := &progress{out: out, terminal: isTerminal(out), what: what, total: total, last: last,
		started: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	go p.run()
	return p
}

func (p *progress) run() {
	defer close(p.stopped)
	every := logEvery
	if p.terminal {
		every = terminalEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.show(p.text(time.Since(p.started)))
		}
	}
}

// take reads one line of `go build -v` and reports whether it was about progress.
func (p *progress) take(line string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(line, "go: downloading ") {
		p.downloaded++
		return true
	}
	if line == "" || strings.HasPrefix(line, "#") || strings.ContainsAny(line, " \t:") {
		return false
	}
	p.packages++
	p.linking = p.linking || line == p.last
	return true
}

// text is the line after the given time.
func (p *progress) text(elapsed time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := "starting"
	switch {
	case p.linking:
		state = "linking"
	case p.packages > 0:
		state = fmt.Sprintf("%d of at most %d packages", p.packages, max(p.total, p.packages))
	case p.downloaded > 0:
		state = fmt.Sprintf("downloading modules, %d so far", p.downloaded)
	}
	return fmt.Sprintf("%s: %s, %s (once; cached afterwards)", p.what, state, elapsed.Round(time.Second))
}

func (p *progress) show(text string) {
	p.shown = true
	if p.terminal {
		printf(p.out, "\r\x1b[K%s", text)
		return
	}
	printf(p.out, "%s\n", text)
}

// end stops reporting. It says how long the build took, unless that was over before the first
// report; a failure is told by who called.
func (p *progress) end(err error) {
	close(p.stop)
	<-p.stopped
	if !p.shown {
		return
	}
	if p.terminal {
		printf(p.out, "\r\x1b[K")
	}
	if err == nil {
		printf(p.out, "%s: done in %s\n", p.what, time.Since(p.started).Round(time.Second))
	}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

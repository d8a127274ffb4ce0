package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Command says what to run.
type Command struct {
	// Name is what messages call it, e.g. "worker".
	Name string
	Path string
	Args []string
	// Env is the whole environment; nil means Environment(nil).
	Env []string
	// Dir is the working directory, "" for ours.
	Dir string
	// LogFile is what output and errors are appended to.
	LogFile string
	// Watch, when set, gets the same bytes too; it must not block.
	Watch io.Writer
	// Yields says that others on this machine go first when its processors are taken: whoever acknowledges
	// deliveries, and the database that keeps them, before whoever works on them later. Linux only.
	Yields bool
}

// Process is a running child with a process group of its own, so that a terminal's ^C reaches
// us alone and we choose the order of stopping. It does not outlive us, however we end.
type Process struct {
	name     string
	cmd      *exec.Cmd
	logFile  string
	logStart int64 // where this run's output begins
	done     chan struct{}
	err      error // set before done is closed
}

// Start starts a child.
func Start(c Command) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(c.LogFile), 0o700); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	log, err := os.OpenFile(c.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer log.Close() // the child has its own
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	if cmd.Env == nil {
		cmd.Env = Environment(nil)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if c.Watch != nil {
		return startWatched(c, cmd, info.Size())
	}
	return begin(c, cmd, info.Size(), func() {})
}

// startWatched reads the output through a pipe. The log is opened once more, because the copying
// goes on when Start has closed its own.
func startWatched(c Command, cmd *exec.Cmd, logStart int64) (*Process, error) {
	log, err := os.OpenFile(c.LogFile, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	both := io.MultiWriter(log, c.Watch)
	cmd.Stdout, cmd.Stderr = both, both
	p, err := begin(c, cmd, logStart, func() { log.Close() })
	if err != nil {
		log.Close()
	}
	return p, err
}

// outputLimit is how long a child's output is waited for when the child is gone: something that it
// left behind may hold the pipe.
const outputLimit = 5 * time.Second

func begin(c Command, cmd *exec.Cmd, logStart int64, after func()) (*Process, error) {
	ownGroup(cmd)
	start := cmd.Start
	if c.Yields {
		start = func() error { return startYielding(cmd) }
	}
	cmd.WaitDelay = outputLimit
	if err := start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{name: c.Name, cmd: cmd, logFile: c.LogFile, logStart: logStart, done: make(chan struct{})}
	release, err := guard(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("guard %s: %w", c.Name, err), p.signal(syscall.SIGKILL), cmd.Wait())
	}
	go func() {
		defer close(p.done)
		err := cmd.Wait()
		release()
		after()
		if err != nil {
			p.err = fmt.Errorf("%s: %w%s", p.name, err, p.lastLines())
		}
	}()
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended, with the last lines of its log: nil for exit code 0, and before
// Done.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop asks the child to stop and waits for it; when ctx ends first it is killed, and that is
// an error.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s: killed, for it had not stopped yet: %w", p.name, ctx.Err()), p.Kill())
	}
}

// Kill ends the child as kill -9 does and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.done
	return nil
}

// signal signals the child's group; one that has ended already is no error.
func (p *Process) signal(s syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := signalGroup(p.cmd.Process, s); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

const (
	linesShown = 8
	bytesRead  = 16 << 10 // of the log's end
)

// lastLines is the end of what this run wrote, indented, "" when it wrote nothing.
func (p *Process) lastLines() string {
	text, err := tail(p.logFile, p.logStart)
	if err != nil || text == "" {
		return "" // it only explains another error
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-linesShown):]
	return "\n  " + strings.Join(lines, "\n  ") + "\n  (" + p.logFile + ")"
}

func tail(path string, from int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(max(from, info.Size()-bytesRead), io.SeekStart); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(file, bytesRead))
	return strings.TrimSpace(string(text)), err
}

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// tick is the unit of the times in /proc: USER_HZ, which is 100 on every system that Go runs on.
const tick = 10 * time.Millisecond

// meter reads CPU times from /proc (proc(5)) before and after a run. Where there is no /proc it says nothing.
type meter struct {
	proc             fs.FS
	server, upstream []int
	began            time.Time
	before           reading
}

// reading is CPU time since processes and machine started.
type reading struct {
	known                 bool
	server, upstream, own time.Duration
	machine, stolen       time.Duration
}

// spending is CPU time during a run.
type spending struct {
	known                   bool // there is a /proc
	server, upstream, own   time.Duration
	foreign, stolen, during time.Duration
}

func newMeter(proc fs.FS, server, upstream []int) (*meter, error) {
	m := &meter{proc: proc, server: server, upstream: upstream, began: time.Now()}
	var err error
	m.before, err = m.read()
	return m, err
}

// stop is what has been spent since the meter was made.
func (m *meter) stop() (spending, error) {
	after, err := m.read()
	if err != nil || !after.known {
		return spending{}, err
	}
	s := spending{
		known:  true,
		server: after.server - m.before.server, upstream: after.upstream - m.before.upstream, own: after.own - m.before.own,
		stolen: after.stolen - m.before.stolen, during: time.Since(m.began),
	}
	s.foreign = max(0, after.machine-m.before.machine-s.server-s.upstream-s.own)
	return s, nil
}

func (m *meter) read() (r reading, err error) {
	text, err := fs.ReadFile(m.proc, "stat")
	if err != nil {
		if len(m.server)+len(m.upstream) > 0 {
			return reading{}, fmt.Errorf("-pid and -upstream-pid need /proc, as Linux has it: %w", err)
		}
		return reading{}, nil
	}
	if r.machine, r.stolen, err = machineTime(text); err != nil {
		return reading{}, err
	}
	for _, group := range []struct {
		pids []int
		sum  *time.Duration
	}{{m.server, &r.server}, {m.upstream, &r.upstream}, {[]int{os.Getpid()}, &r.own}} {
		for _, pid := range group.pids {
			spent, err := m.processTime(pid)
			if err != nil {
				return reading{}, err
			}
			*group.sum += spent
		}
	}
	r.known = true
	return r, nil
}

// machineTime reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
func machineTime(text []byte) (busy, stolen time.Duration, err error) {
	const idle, iowait, steal, known = 3, 4, 7, 8
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 1+known || string(fields[0]) != "cpu" {
		return 0, 0, fmt.Errorf("/proc/stat: found %q, want the line of cpu", line)
	}
	for i, field := range fields[1 : 1+known] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		switch {
		case err != nil:
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		case i == steal:
			stolen = time.Duration(n) * tick
		case i != idle && i != iowait:
			busy += time.Duration(n) * tick
		}
	}
	return busy, stolen, nil
}

// processTime is the CPU time of all threads of a process and of its children.
func (m *meter) processTime(pid int) (time.Duration, error) {
	dir := strconv.Itoa(pid)
	text, err := fs.ReadFile(m.proc, dir+"/stat")
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	sum, err := ownTime(text)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	lists, err := fs.Glob(m.proc, dir+"/task/*/children")
	if err != nil {
		return 0, err
	}
	for _, list := range lists {
		children, _ := fs.ReadFile(m.proc, list) // a thread may have ended
		for child := range bytes.FieldsSeq(children) {
			if n, err := strconv.Atoi(string(child)); err == nil {
				spent, _ := m.processTime(n) // so may a child
				sum += spent
			}
		}
	}
	return sum, nil
}

// ownTime reads /proc/PID/stat: utime and stime are fields 14 and 15, and the second one is a name in parentheses.
func ownTime(text []byte) (time.Duration, error) {
	const utime = 14 - 3 // behind the name
	_, rest, ok := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) < utime+2 {
		return 0, fmt.Errorf("found %q, want a line of /proc/PID/stat", text)
	}
	var sum time.Duration
	for _, field := range fields[utime : utime+2] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

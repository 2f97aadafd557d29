package main

// The load: connections to one address, each of which asks again as soon as it has its answer.

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type target struct {
	Address string          `json:"address"`
	Path    string          `json:"path"`
	CA      string          `json:"ca"` // a PEM file
	Login   json.RawMessage `json:"login"`
}

type work struct {
	Do      string  `json:"do"`
	Conns   int     `json:"conns"`
	Seconds float64 `json:"seconds"`
	Count   int     `json:"count"`
	// For run: about the bytes of a reply, and of what is sent besides the call itself.
	Reply  int `json:"reply"`
	Upload int `json:"upload"`
	// For call; {n} in the params is a number that is never the same.
	Type    string          `json:"type"`
	Version int             `json:"version"`
	Request string          `json:"request"`
	Params  json.RawMessage `json:"params"`
	// For logins: with a whole TLS handshake each.
	Fresh bool `json:"fresh"`
}

type peer struct {
	target
	config *tls.Config
	open   []*line
	number atomic.Int64
}

// A connection with the number of its next request. All have as many digits.
type line struct {
	*socket
	next int64
}

const firstID = 1_000_001

func load(input *lines) error {
	var given target
	if _, err := input.next(&given); err != nil {
		return err
	}
	authority, err := os.ReadFile(given.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	p := &peer{target: given, config: &tls.Config{
		RootCAs: roots, ServerName: "juju-apiserver", ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}}
	for {
		var told work
		if more, err := input.next(&told); !more || err != nil {
			return err
		}
		answer, err := p.obey(told)
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		input.say(answer)
	}
}

func (p *peer) obey(told work) (any, error) {
	switch told.Do {
	case "open":
		return map[string]any{}, p.ensure(told.Conns)
	case "close":
		for _, each := range p.open {
			each.close()
		}
		p.open = nil
		return map[string]any{}, nil
	case "run":
		return p.run(told)
	case "call":
		return p.call(told)
	case "logins":
		return p.logins(told)
	case "await":
		return p.await(told)
	}
	return nil, fmt.Errorf("unknown work %q", told.Do)
}

// logIn opens a connection and logs in on it.
func (p *peer) logIn(config *tls.Config, buffer int) (*line, bool, error) {
	s, resumed, err := dial(p.Address, p.Path, config, buffer)
	if err != nil {
		return nil, false, err
	}
	each := &line{s, firstID + 1}
	ask := fmt.Sprintf(`{"request-id":%d,%s`, firstID, strings.TrimPrefix(string(p.Login), "{"))
	if err = s.send([]byte(ask)); err == nil {
		_, err = each.answer(1 << 20)
	}
	if err != nil {
		_ = s.conn.Close()
		return nil, false, err
	}
	return each, resumed, nil
}

// answer takes in the reply to a call.
func (l *line) answer(most int) (int, error) {
	size, err := l.read(most)
	if err != nil {
		return 0, err
	}
	if bytes.Contains(l.head[:min(len(l.head), 256)], []byte(`"error":`)) {
		return 0, fmt.Errorf("refused: %s", l.head[:min(len(l.head), 512)])
	}
	return size, nil
}

const atOnce = 16 // connections that are being opened

func (p *peer) ensure(count int) error {
	missing := count - len(p.open)
	if missing <= 0 {
		return nil
	}
	made := make([]*line, missing)
	var next atomic.Int64
	err := together(min(atOnce, missing), func(int) error {
		for at := next.Add(1) - 1; at < int64(missing); at = next.Add(1) - 1 {
			each, _, err := p.logIn(p.config, 4096)
			if err != nil {
				return err
			}
			made[at] = each
		}
		return nil
	})
	for _, each := range made {
		if each != nil {
			p.open = append(p.open, each)
		}
	}
	return err
}

// together runs work so many times at once, and gives the first error.
func together(count int, work func(number int) error) error {
	failed := make([]error, count)
	var group sync.WaitGroup
	for number := range failed {
		group.Add(1)
		go func() {
			defer group.Done()
			failed[number] = work(number)
		}()
	}
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// run has each connection call until the time is over (or, with a count, until all together have
// done so many calls), and waits for the last answers.
func (p *peer) run(told work) (any, error) {
	if err := p.ensure(told.Conns); err != nil {
		return nil, err
	}
	message := benchMessage(told.Reply, told.Upload)
	taken := make([][]time.Duration, told.Conns)
	began := time.Now()
	end := began.Add(time.Duration(told.Seconds * float64(time.Second)))
	err := together(told.Conns, func(number int) error {
		return p.open[number].repeat(message, end, told.Count/told.Conns, &taken[number])
	})
	return measured(slices.Concat(taken...), time.Since(began)), err
}

// A message in two parts: the first has the request's number at a known place.
type prepared struct {
	first, rest []byte
	digits      int // where the number is in first
	headerSize  int
}

func benchMessage(reply, upload int) prepared {
	text := fmt.Sprintf(`{"request-id":%d,"type":"Client","version":8,"request":"FullStatus",`+
		`"params":{"patterns":["bench:%d"]}}`, firstID, reply)
	if upload > 0 {
		text = fmt.Sprintf(`{"request-id":%d,"type":"Bundle","version":6,"request":"GetChangesMapArgs",`+
			`"params":{"bundleURL":"bench:%d","yaml":"%s"}}`, firstID, reply,
			strings.Repeat("name: x ", upload/8))
	}
	data := frame(opText, []byte(text), true)
	header := len(data) - len(text)
	cut := min(len(data), firstWrite)
	return prepared{data[:cut], data[cut:], header + len(beforeID), header}
}

func (l *line) repeat(
	message prepared, end time.Time, count int, taken *[]time.Duration,
) error {
	first := bytes.Clone(message.first)
	*taken = make([]time.Duration, 0, 1<<12)
	for {
		number := first[message.digits : message.digits+len("1000001")]
		copy(number, strconv.FormatInt(l.next, 10))
		for at := range number {
			number[at] ^= mask[(message.digits-message.headerSize+at)&3]
		}
		began := time.Now()
		if err := l.write(first); err != nil {
			return err
		}
		if len(message.rest) > 0 {
			if err := l.write(message.rest); err != nil {
				return err
			}
		}
		if _, err := l.answer(512); err != nil {
			return err
		}
		now := time.Now()
		if !bytes.Contains(l.head[:min(len(l.head), 64)], strconv.AppendInt(nil, l.next, 10)) {
			return fmt.Errorf("an answer to something else: %s", l.head)
		}
		l.next++
		*taken = append(*taken, now.Sub(began))
		if count == 0 && now.After(end) || count > 0 && len(*taken) >= count {
			return nil
		}
	}
}

// call does one call so many times over so many connections, and tells the last answer.
func (p *peer) call(told work) (any, error) {
	if err := p.ensure(told.Conns); err != nil {
		return nil, err
	}
	count := max(1, told.Count)
	taken := make([][]time.Duration, told.Conns)
	var left atomic.Int64
	left.Store(int64(count))
	var size atomic.Int64
	began := time.Now()
	err := together(told.Conns, func(number int) error {
		each := p.open[number]
		for left.Add(-1) >= 0 {
			params := strings.ReplaceAll(string(told.Params), "{n}", strconv.FormatInt(p.number.Add(1), 10))
			text := fmt.Sprintf(`{"request-id":%d,"type":%q,"version":%d,"request":%q,"params":%s}`,
				each.next, told.Type, told.Version, told.Request, params)
			each.next++
			start := time.Now()
			if err := each.send([]byte(text)); err != nil {
				return err
			}
			got, err := each.answer(1 << 16)
			if err != nil {
				return err
			}
			size.Store(int64(got))
			taken[number] = append(taken[number], time.Since(start))
		}
		return nil
	})
	answer := measured(slices.Concat(taken...), time.Since(began))
	answer["bytes"] = size.Load()
	if told.Conns > 0 && size.Load() <= 1<<16 {
		answer["last"] = string(p.open[0].head)
	}
	return answer, err
}

// logins opens connections, logs in and goes, so many at once.
func (p *peer) logins(told work) (any, error) {
	config := p.config
	if told.Fresh {
		config = p.config.Clone()
		config.ClientSessionCache = nil
	}
	taken := make([][]time.Duration, told.Conns)
	var resumed, left atomic.Int64
	left.Store(int64(told.Count))
	began := time.Now()
	end := began.Add(time.Duration(told.Seconds * float64(time.Second)))
	err := together(told.Conns, func(number int) error {
		for {
			if told.Count > 0 && left.Add(-1) < 0 || told.Count == 0 && time.Now().After(end) {
				return nil
			}
			start := time.Now()
			each, again, err := p.logIn(config, 4096)
			if err != nil {
				return err
			}
			taken[number] = append(taken[number], time.Since(start))
			if again {
				resumed.Add(1)
			}
			each.close()
		}
	})
	answer := measured(slices.Concat(taken...), time.Since(began))
	answer["resumed"] = resumed.Load()
	return answer, err
}

// await tries to log in until it succeeds.
func (p *peer) await(told work) (any, error) {
	end := time.Now().Add(time.Duration(told.Seconds * float64(time.Second)))
	for {
		each, _, err := p.logIn(p.config, 4096)
		if err == nil {
			each.close()
			return map[string]any{}, nil
		}
		if time.Now().After(end) {
			return nil, err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// measured sums up: how many, in which time, and the seconds that half and 99 of 100 took.
func measured(taken []time.Duration, all time.Duration) map[string]any {
	slices.Sort(taken)
	at := func(part float64) float64 {
		if len(taken) == 0 {
			return 0
		}
		return taken[min(len(taken)-1, int(part*float64(len(taken))))].Seconds()
	}
	return map[string]any{
		"count": len(taken), "seconds": all.Seconds(), "p50": at(0.5), "p99": at(0.99), "most": at(1),
	}
}

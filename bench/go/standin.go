package main

// A stand-in for Juju controllers: it lets everybody in, tells of its models, makes new ones,
// and answers a bench call with as many bytes as it is asked for. It says that something is not
// implemented rather than make up an answer.

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

type facade struct {
	Name     string `json:"name"`
	Versions []int  `json:"versions"`
}

type fleet struct {
	Certificate      string       `json:"certificate"` // PEM files
	Key              string       `json:"key"`
	Version          string       `json:"version"`
	Cloud            string       `json:"cloud"`
	Region           string       `json:"region"`
	FacadesOfModels  []facade     `json:"facades-of-models"`
	FacadesOfTheRest []facade     `json:"facades"`
	Controllers      []controller `json:"controllers"`
}

type order struct {
	Do         string  `json:"do"`
	Controller int     `json:"controller"`
	Models     []model `json:"models"`
}

func standin(input *lines) error {
	var given fleet
	if _, err := input.next(&given); err != nil {
		return err
	}
	certificate, err := tls.LoadX509KeyPair(given.Certificate, given.Key)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	ports := []int{}
	counts := &counter{calls: map[string]int{}}
	for number := range given.Controllers {
		each := &given.Controllers[number]
		listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			return err
		}
		each.begin(&given, listener.Addr().(*net.TCPAddr).Port, counts)
		ports = append(ports, each.port)
		go each.serve(listener)
	}
	input.say(map[string]any{"ports": ports})
	for {
		var told order
		if more, err := input.next(&told); !more || err != nil {
			return err
		}
		switch told.Do {
		case "models":
			given.Controllers[told.Controller].put(told.Models)
			input.say(map[string]any{})
		case "counts":
			input.say(counts.read())
		default:
			return fmt.Errorf("unknown order %q", told.Do)
		}
	}
}

// Calls by name, but for bench calls.
type counter struct {
	lock  sync.Mutex
	calls map[string]int
}

func (c *counter) add(name string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.calls[name]++
}

func (c *counter) read() map[string]int {
	c.lock.Lock()
	defer c.lock.Unlock()
	copied := map[string]int{}
	for name, count := range c.calls {
		copied[name] = count
	}
	return copied
}

func (c *controller) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go c.attend(conn)
	}
}

func (c *controller) attend(conn net.Conn) {
	defer conn.Close()
	s := newSocket(conn, false, 4096)
	path, err := accept(s)
	if err != nil {
		return
	}
	if secured, ok := conn.(*tls.Conn); ok && secured.ConnectionState().DidResume {
		c.counts.add(resumedTLS)
	}
	of := ""
	if rest, found := strings.CutPrefix(path, "/model/"); found {
		of, _, _ = strings.Cut(rest, "/")
	}
	scratch := make([]byte, 0, 512)
	for {
		length, err := s.read(headSize)
		if err != nil {
			return
		}
		if id, size, ok := benchCall(s.head); ok {
			if scratch, err = reply(s, scratch, id, size); err != nil {
				return
			}
			continue
		}
		if length > len(s.head) {
			fmt.Fprintln(os.Stderr, "a message that is too long to be looked at:", length)
			return
		}
		if err := s.send(c.answer(s.head, of)); err != nil {
			return
		}
	}
}

const resumedTLS = "resumed TLS"

// Longer messages are read no further: whoever sends them sends a bench call.
const headSize = 1 << 16

const (
	beforeID = `{"request-id":`
	mark     = `"bench:` // and a number, which ends the mark: the size of the reply
)

// benchCall reads the plain spelling that the load uses, near the message's begin.
func benchCall(head []byte) (id []byte, size int, ok bool) {
	if !bytes.HasPrefix(head, []byte(beforeID)) {
		return nil, 0, false
	}
	rest := head[len(beforeID):min(len(head), 256)]
	end := bytes.IndexByte(rest, ',')
	at := bytes.Index(rest, []byte(mark))
	if end < 0 || at < 0 {
		return nil, 0, false
	}
	digits := rest[at+len(mark):]
	if stop := bytes.IndexByte(digits, '"'); stop >= 0 {
		size, err := strconv.Atoi(string(digits[:stop]))
		return rest[:end], size, err == nil
	}
	return nil, 0, false
}

const firstWrite = 16000

// reply answers a bench call with a message of about that size.
func reply(s *socket, scratch []byte, id []byte, size int) ([]byte, error) {
	body := filler(size)
	length := len(beforeID) + len(id) + len(body)
	scratch = append(scratch[:0], frameHeader(opText, length, false)...)
	scratch = append(scratch, beforeID...)
	scratch = append(scratch, id...)
	now := min(len(body), firstWrite)
	scratch = append(scratch, body[:now]...)
	if err := s.write(scratch); err != nil {
		return scratch, err
	}
	if now < len(body) {
		return scratch, s.write(body[now:])
	}
	return scratch, nil
}

var fillers sync.Map

// filler is the end of a reply, after the id: what looks like a status, made once for each size.
func filler(size int) []byte {
	if found, ok := fillers.Load(size); ok {
		return found.([]byte)
	}
	var text bytes.Buffer
	text.WriteString(`,"response":{"applications":{`)
	for number := 0; text.Len()+256 < size; number++ {
		fmt.Fprintf(&text, `"app-%06d":{"charm":"ch:amd64/jammy/ubuntu-24","exposed":false,`+
			`"life":"alive","status":{"status":"active","info":"ready","since":`+
			`"2026-01-02T03:04:05Z"}},`, number)
	}
	text.WriteString(`"pad":{"charm":"`)
	text.Write(bytes.Repeat([]byte("x"), max(0, size-text.Len()-len(`"}}}}`)-21)))
	text.WriteString(`"}}}}`)
	made, _ := fillers.LoadOrStore(size, text.Bytes())
	return made.([]byte)
}

// answer is the reply to any other call.
func (c *controller) answer(message []byte, of string) []byte {
	var asked request
	if err := json.Unmarshal(message, &asked); err != nil {
		return encoded(map[string]any{"request-id": 1, "error": err.Error(), "response": struct{}{}})
	}
	name := asked.Type + "." + asked.Request
	c.counts.add(name)
	result, err := c.call(name, asked.Params, of)
	if err != nil {
		fmt.Fprintln(os.Stderr, name, err)
		return encoded(map[string]any{
			"request-id": asked.ID, "error": err.Error(), "error-code": "not implemented",
			"response": struct{}{},
		})
	}
	return encoded(map[string]any{"request-id": asked.ID, "response": result})
}

func encoded(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

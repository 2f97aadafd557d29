package main

// A websocket over TLS, as little of it as the bench needs (RFC 6455): text messages, pings
// answered, no extension. Reading copies nothing that nobody looks at.

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10

	guid      = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	clientKey = "AQIDBAUGBwgJCgsMDQ4PEA=="
)

// The mask of all frames of clients. It is not zero, so that unmasking is work.
var mask = [4]byte{0x5a, 0xc3, 0x17, 0xe8}

var errClosed = errors.New("closed by the peer")

type socket struct {
	conn   net.Conn
	reader *bufio.Reader
	client bool
	head   []byte // the first bytes of the message that was read last
}

func newSocket(conn net.Conn, client bool, buffer int) *socket {
	return &socket{conn: conn, reader: bufio.NewReaderSize(conn, buffer), client: client}
}

// read takes in one message. Its first bytes, up to most, are in s.head and valid until the next
// read; the rest is dropped. Gives the length of the whole message.
func (s *socket) read(most int) (int, error) {
	s.head = s.head[:0]
	total := 0
	for {
		final, op, key, masked, length, err := s.header()
		if err != nil {
			return 0, err
		}
		if op >= opClose {
			if err := s.control(op, length, key, masked); err != nil {
				return 0, err
			}
			continue
		}
		keep := min(length, max(0, most-len(s.head)))
		start := len(s.head)
		s.head = append(s.head, make([]byte, keep)...)
		if _, err := io.ReadFull(s.reader, s.head[start:]); err != nil {
			return 0, err
		}
		if masked {
			xor(s.head[start:], key)
		}
		if err := s.drop(length - keep); err != nil {
			return 0, err
		}
		total += length
		if final {
			return total, nil
		}
	}
}

func (s *socket) drop(length int) error {
	_, err := s.reader.Discard(length)
	return err
}

func (s *socket) header() (final bool, op int, key [4]byte, masked bool, length int, err error) {
	var raw [8]byte
	if _, err = io.ReadFull(s.reader, raw[:2]); err != nil {
		return
	}
	final, op, masked = raw[0]&0x80 != 0, int(raw[0]&0x0f), raw[1]&0x80 != 0
	length = int(raw[1] & 0x7f)
	switch length {
	case 126:
		if _, err = io.ReadFull(s.reader, raw[:2]); err != nil {
			return
		}
		length = int(binary.BigEndian.Uint16(raw[:2]))
	case 127:
		if _, err = io.ReadFull(s.reader, raw[:8]); err != nil {
			return
		}
		length = int(binary.BigEndian.Uint64(raw[:8]))
	}
	if masked {
		_, err = io.ReadFull(s.reader, key[:])
	}
	return
}

func (s *socket) control(op, length int, key [4]byte, masked bool) error {
	payload := make([]byte, length)
	if _, err := io.ReadFull(s.reader, payload); err != nil {
		return err
	}
	if masked {
		xor(payload, key)
	}
	switch op {
	case opPing:
		return s.write(frame(opPong, payload, s.client))
	case opClose:
		_ = s.write(frame(opClose, payload, s.client))
		return errClosed
	}
	return nil
}

func (s *socket) write(data []byte) error {
	_, err := s.conn.Write(data)
	return err
}

// send writes one text message.
func (s *socket) send(message []byte) error {
	return s.write(frame(opText, message, s.client))
}

// close says goodbye and ends the connection without waiting for an answer.
func (s *socket) close() {
	_ = s.write(frame(opClose, []byte{0x03, 0xe8}, s.client))
	_ = s.conn.Close()
}

// frame is a whole frame; a client's is masked.
func frame(op int, payload []byte, client bool) []byte {
	data := frameHeader(op, len(payload), client)
	start := len(data)
	data = append(data, payload...)
	if client {
		xor(data[start:], mask)
	}
	return data
}

func frameHeader(op, length int, client bool) []byte {
	data := make([]byte, 0, 14+min(length, 1<<16))
	data = append(data, 0x80|byte(op))
	bit := byte(0)
	if client {
		bit = 0x80
	}
	switch {
	case length < 126:
		data = append(data, bit|byte(length))
	case length < 1<<16:
		data = append(data, bit|126)
		data = binary.BigEndian.AppendUint16(data, uint16(length))
	default:
		data = append(data, bit|127)
		data = binary.BigEndian.AppendUint64(data, uint64(length))
	}
	if client {
		data = append(data, mask[:]...)
	}
	return data
}

func xor(data []byte, key [4]byte) {
	wide := uint64(binary.LittleEndian.Uint32(key[:]))
	wide |= wide << 32
	at := 0
	for ; at+8 <= len(data); at += 8 {
		binary.LittleEndian.PutUint64(data[at:], binary.LittleEndian.Uint64(data[at:])^wide)
	}
	for ; at < len(data); at++ {
		data[at] ^= key[at&3]
	}
}

// accept answers a client's upgrade and gives the path that it asked for.
func accept(s *socket) (string, error) {
	first, headers, err := readHead(s.reader)
	if err != nil {
		return "", err
	}
	parts := strings.Split(first, " ")
	if len(parts) != 3 || headers["sec-websocket-key"] == "" {
		_ = s.write([]byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		return "", fmt.Errorf("no websocket is asked for: %s", first)
	}
	digest := sha1.Sum([]byte(headers["sec-websocket-key"] + guid))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(digest[:]) + "\r\n\r\n"
	return parts[1], s.write([]byte(answer))
}

// dial opens a websocket as a client does.
func dial(address, path string, config *tls.Config, buffer int) (*socket, bool, error) {
	raw, err := net.Dial("tcp", address)
	if err != nil {
		return nil, false, err
	}
	conn := tls.Client(raw, config)
	if err := conn.Handshake(); err != nil {
		_ = raw.Close()
		return nil, false, err
	}
	s := newSocket(conn, true, buffer)
	ask := "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Key: " + clientKey + "\r\nSec-WebSocket-Version: 13\r\n\r\n"
	if err := s.write([]byte(ask)); err != nil {
		_ = conn.Close()
		return nil, false, err
	}
	first, _, err := readHead(s.reader)
	if err == nil && !strings.HasPrefix(first, "HTTP/1.1 101") {
		err = fmt.Errorf("%s answers %q", address, first)
	}
	if err != nil {
		_ = conn.Close()
		return nil, false, err
	}
	return s, conn.ConnectionState().DidResume, nil
}

func readHead(reader *bufio.Reader) (string, map[string]string, error) {
	first, err := reader.ReadString('\n')
	if err != nil {
		return "", nil, err
	}
	headers := map[string]string{}
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return "", nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return strings.TrimRight(first, "\r\n"), headers, nil
		}
		name, value, _ := strings.Cut(line, ":")
		headers[strings.ToLower(name)] = strings.TrimSpace(value)
	}
}

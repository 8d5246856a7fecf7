package emu

import (
	"net"
	"os"
	"sync"
	"syscall"
)

const (
	window    = 256 << 10 // bytes of one direction of a connection between its writer and its reader; then the writer waits
	pieceSize = 8 << 10
)

// stream is one direction of a byte stream: what is written rides the line and is read at the other end. One goroutine
// reads; any may write.
type stream struct {
	line   *Line
	turn   chan struct{} // holds one token: whose turn it is to write
	room   chan struct{} // told when the reader has made room
	come   chan struct{} // told when something has arrived
	closed chan struct{} // of the connection

	mu      sync.Mutex
	held    int // bytes between write and read
	arrived [][]byte
	end     error // set when the end has arrived
	final   error // what end will be; written before the last piece is sent
}

func newStream(line *Line, closed chan struct{}) *stream {
	s := &stream{line: line, turn: make(chan struct{}, 1), room: make(chan struct{}, 1), come: make(chan struct{}, 1), closed: closed}
	s.turn <- struct{}{}
	return s
}

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// deliver takes a piece from the line; an empty one is the end.
func (s *stream) deliver(pkt Packet) {
	s.mu.Lock()
	if len(pkt.Data) == 0 {
		s.end = s.final
	} else {
		s.arrived = append(s.arrived, pkt.Data)
	}
	s.mu.Unlock()
	tell(s.come)
}

// write waits while the window is full; expired ends the wait.
func (s *stream) write(b []byte, expired <-chan struct{}) (int, error) {
	if err := s.wait(s.turn, expired); err != nil {
		return 0, err
	}
	defer tell(s.turn)
	written := 0
	for written < len(b) {
		size := s.reserve(min(len(b)-written, pieceSize))
		if size == 0 {
			if err := s.wait(s.room, expired); err != nil {
				return written, err
			}
			continue
		}
		if !s.line.send(Packet{Data: append([]byte(nil), b[written:written+size]...), Stream: true, out: s}) {
			return written, syscall.ENOBUFS
		}
		written += size
	}
	return written, nil
}

// finish sends the end after everything written; the reader then gets err.
func (s *stream) finish(err error) {
	s.mu.Lock()
	s.final = err
	s.mu.Unlock()
	s.line.send(Packet{Stream: true, out: s})
}

func (s *stream) reserve(size int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	size = min(size, window-s.held)
	s.held += size
	return size
}

func (s *stream) read(b []byte, expired <-chan struct{}) (int, error) {
	for {
		if size, err := s.take(b); size > 0 || err != nil || len(b) == 0 {
			return size, err
		}
		if err := s.wait(s.come, expired); err != nil {
			return 0, err
		}
	}
}

func (s *stream) take(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := 0
	for len(s.arrived) > 0 && size < len(b) {
		moved := copy(b[size:], s.arrived[0])
		size += moved
		if s.arrived[0] = s.arrived[0][moved:]; len(s.arrived[0]) == 0 {
			s.arrived = s.arrived[1:]
		}
	}
	if size > 0 {
		s.held -= size
		tell(s.room)
		return size, nil
	}
	return 0, s.end
}

func (s *stream) wait(what, expired <-chan struct{}) error {
	select {
	case <-s.closed:
		return net.ErrClosed
	case <-expired:
		return os.ErrDeadlineExceeded
	default:
	}
	select {
	case <-what:
		return nil
	case <-s.closed:
		return net.ErrClosed
	case <-expired:
		return os.ErrDeadlineExceeded
	}
}

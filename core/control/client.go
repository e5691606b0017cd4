package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrProtocol reports that the other end does not speak this protocol.
var ErrProtocol = errors.New("not a heimdalld administration socket")

// Client asks a daemon over a stream. It is not safe for concurrent use. An error
// of type *Error is the daemon's own; after any other the stream is of no more use.
type Client struct {
	w io.Writer
	r *bufio.Reader
}

// NewClient returns a client on rw.
func NewClient(rw io.ReadWriter) *Client {
	return &Client{w: rw, r: bufio.NewReaderSize(rw, 64<<10)}
}

// Raw runs command with args, which may be nil, and returns the data object of
// the response as it came.
func (c *Client) Raw(command string, args any) (json.RawMessage, error) {
	req := Request{Command: command}
	if args != nil {
		var err error
		if req.Args, err = json.Marshal(args); err != nil {
			return nil, fmt.Errorf("encode arguments: %w", err)
		}
	}
	line, err := encode(req)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	if len(line) > MaxRequest {
		return nil, Errorf(CodeTooLarge, "the request is longer than %d octets", MaxRequest)
	}
	if _, err := c.w.Write(line); err != nil {
		return nil, fmt.Errorf("send request: %w", err)
	}
	return c.response()
}

func (c *Client) response() (json.RawMessage, error) {
	line, err := c.line()
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	var resp Response
	if err := json.Unmarshal(line, &resp); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	if resp.Error != nil {
		return nil, resp.Error
	}
	if len(resp.Data) == 0 {
		return nil, fmt.Errorf("%w: neither data nor error in the response", ErrProtocol)
	}
	return resp.Data, nil
}

// line reads one line of at most MaxResponse octets.
func (c *Client) line() ([]byte, error) {
	var line []byte
	for {
		part, err := c.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		case len(line) > MaxResponse:
			return nil, fmt.Errorf("%w: a response longer than %d octets", ErrProtocol, MaxResponse)
		}
	}
}

// Call runs command and decodes the data of its response into reply. Members
// that reply has no field for are ignored: the daemon may be newer.
func (c *Client) Call(command string, args, reply any) error {
	data, err := c.Raw(command, args)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, reply); err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return nil
}

// Status asks for the daemon as a whole.
func (c *Client) Status() (*Status, error) {
	reply := new(Status)
	if err := c.Call(CommandStatus, nil, reply); err != nil {
		return nil, err
	}
	return reply, nil
}

package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// CommandProfile is the command that looks at the daemon's own work. Its reply is the only one of several lines: each is a
// Response with a ProfilePart, up to one without More.
const CommandProfile = "profile"

// Bounds of a profile.
const (
	// MaxProfileSeconds is the longest time that is looked at.
	MaxProfileSeconds = 60
	// MaxProfile is the size of the largest profile in octets. The daemon has it in memory before it sends it.
	MaxProfile = 32 << 20
	// profilePart is how many octets one line carries: few enough to be written within the time of one write.
	profilePart = 64 << 10
)

// ProfileKind is what is looked at.
type ProfileKind string

// The kinds of profiles.
const (
	ProfileCPU   ProfileKind = "cpu"   // where CPU time goes, in pprof's format
	ProfileHeap  ProfileKind = "heap"  // what the Go heap holds, in pprof's format
	ProfileTrace ProfileKind = "trace" // what goroutines, threads and the collector do, for `go tool trace`
)

// ProfileArgs are the arguments of the command profile.
type ProfileArgs struct {
	Kind    ProfileKind `json:"kind"`
	Seconds int         `json:"seconds,omitempty"` // how long to look, of cpu and trace: 1 to MaxProfileSeconds
}

// Profile is what Server.Profile returns.
type Profile struct {
	Octets []byte
	Early  bool // it ended before its time, because it had become large
}

// ProfilePart is one line of the reply to the command profile.
type ProfilePart struct {
	Octets []byte `json:"octets,omitempty"`
	More   bool   `json:"more,omitempty"`  // others follow
	Early  bool   `json:"early,omitempty"` // see Profile
}

func (a *ProfileArgs) check() error {
	switch a.Kind {
	case ProfileHeap:
		if a.Seconds != 0 {
			return Errorf(CodeBadRequest, "a heap profile takes no time: leave the seconds out")
		}
		return nil
	case ProfileCPU, ProfileTrace:
		if a.Seconds < 1 || a.Seconds > MaxProfileSeconds {
			return Errorf(CodeBadRequest, "%d seconds: a profile takes 1 to %d", a.Seconds, MaxProfileSeconds)
		}
		return nil
	}
	return Errorf(CodeBadRequest, "there is no profile %s: use cpu, heap or trace", quote(string(a.Kind)))
}

// sendProfile carries out a request for a profile, and writes its lines. An error is the stream's.
func sendProfile(ctx context.Context, w io.Writer, s Server, req *Request) error {
	var args ProfileArgs
	err := decodeArgs(req, &args)
	if err == nil {
		err = args.check()
	}
	var p *Profile
	if err == nil {
		p, err = s.Profile(ctx, args)
	}
	if err == nil && len(p.Octets) > MaxProfile {
		err = Errorf(CodeTooLarge, "the profile is larger than %d octets: take fewer seconds", MaxProfile)
	}
	if err != nil {
		_, err = w.Write(errorLine(err))
		return err
	}
	for rest := p.Octets; ; {
		part := ProfilePart{Octets: rest[:min(len(rest), profilePart)]}
		rest = rest[len(part.Octets):]
		if part.More = len(rest) > 0; !part.More {
			part.Early = p.Early
		}
		body, err := json.Marshal(part)
		if err != nil {
			return err
		}
		line, err := encode(Response{Data: body})
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
		if !part.More {
			return nil
		}
	}
}

// Profile asks for a profile.
func (c *Client) Profile(args ProfileArgs) (*Profile, error) {
	data, err := c.Raw(CommandProfile, args)
	for p := new(Profile); ; data, err = c.response() {
		if err != nil {
			return nil, err
		}
		var part ProfilePart
		if err := json.Unmarshal(data, &part); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		if len(p.Octets)+len(part.Octets) > MaxProfile || part.More && len(part.Octets) == 0 {
			return nil, fmt.Errorf("%w: a profile of more than %d octets, or without an end", ErrProtocol, MaxProfile)
		}
		p.Octets = append(p.Octets, part.Octets...)
		if !part.More {
			p.Early = part.Early
			return p, nil
		}
	}
}

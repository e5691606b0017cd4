package ebpf

// Exit is a way out of the XDP program. The constants are generated from c/exits.h.
type Exit uint32

// Exits is the number of ways out; 0 is none.
const Exits = int(xdpExitEXITS)

// exitNames are what operators see.
var exitNames = [Exits]string{
	xdpExitGO_ON:             "none",
	xdpExitPASS_FRAME:        "pass_frame",
	xdpExitPASS_GROUP:        "pass_group",
	xdpExitPASS_NOT_IP:       "pass_not_ip",
	xdpExitPASS_IP_OPTIONS:   "pass_ip_options",
	xdpExitPASS_FRAGMENT:     "pass_fragment",
	xdpExitPASS_EXTENSION:    "pass_extension",
	xdpExitPASS_NOT_UDP:      "pass_not_udp",
	xdpExitPASS_SOURCE:       "pass_source",
	xdpExitPASS_LENGTH:       "pass_length",
	xdpExitPASS_NOT_OURS:     "pass_not_ours",
	xdpExitPASS_MERGED:       "pass_merged",
	xdpExitPASS_REVERSE_PATH: "pass_reverse_path",
	xdpExitPASS_OPCODE:       "pass_opcode",
	xdpExitPASS_CLASS:        "pass_class",
	xdpExitPASS_RECORDS:      "pass_records",
	xdpExitPASS_VERSION:      "pass_version",
	xdpExitPASS_OPTIONS:      "pass_options",
	xdpExitPASS_LONG_NAME:    "pass_long_name",
	xdpExitPASS_DISABLED:     "pass_disabled",
	xdpExitPASS_MISS:         "pass_miss",
	xdpExitPASS_FLUSHED:      "pass_flushed",
	xdpExitPASS_EXPIRED:      "pass_expired",
	xdpExitPASS_REFRESH:      "pass_refresh",
	xdpExitPASS_CLIENT:       "pass_client",
	xdpExitPASS_SIZE:         "pass_size",
	xdpExitPASS_TAIL:         "pass_tail",
	xdpExitPASS_TORN:         "pass_torn",
	xdpExitDROP_SHORT:        "drop_short",
	xdpExitDROP_RESPONSE:     "drop_response",
	xdpExitDROP_COUNTS:       "drop_counts",
	xdpExitDROP_NAME:         "drop_name",
	xdpExitDROP_TRAILING:     "drop_trailing",
	xdpExitDROP_RECORD:       "drop_record",
	xdpExitDROP_DENIED:       "drop_denied",
	xdpExitDROP_LIMIT:        "drop_limit",
	xdpExitDROP_TORN:         "drop_torn",
	xdpExitSEND_ANSWER:       "send_answer",
	xdpExitSEND_SLIP:         "send_slip",
}

// String returns the exit's name: what becomes of the packet, and why.
func (e Exit) String() string {
	if int(e) < Exits {
		return exitNames[e]
	}
	return "unknown"
}

// Stats counts packets by exit, since the program was loaded.
type Stats [Exits]uint64

// Answered returns how many packets were answered in the kernel.
func (s *Stats) Answered() uint64 { return s[xdpExitSEND_ANSWER] + s[xdpExitSEND_SLIP] }

// Dropped returns how many packets were dropped.
func (s *Stats) Dropped() (n uint64) {
	for e := xdpExitDROP_SHORT; e < xdpExitSEND_ANSWER; e++ {
		n += s[e]
	}
	return n
}

// Passed returns how many packets went on to the kernel's stack, or to an AF_XDP socket.
func (s *Stats) Passed() (n uint64) {
	for e := xdpExitPASS_FRAME; e < xdpExitDROP_SHORT; e++ {
		n += s[e]
	}
	return n
}

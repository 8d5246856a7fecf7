package media

// H264KeyFrame reports whether an RTP payload (RFC 6184) is the start of a key frame.
func H264KeyFrame(payload []byte) bool { return false }

// H264FrameStart reports whether an RTP payload is the first of a frame, as far as the payload alone can tell.
func H264FrameStart(payload []byte) bool { return false }

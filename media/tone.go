package media

// Tone is the test voice: PCM, 48 kHz, mono. The zero value is ready. One goroutine at a time.
type Tone struct{ n uint64 }

// Read fills pcm with the next samples; 960 are 20 ms.
func (t *Tone) Read(pcm []int16) {}

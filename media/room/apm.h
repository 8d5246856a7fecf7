// What Go needs of WebRTC's audio processing, as C.
#ifndef SCANSIDE_APM_H
#define SCANSIDE_APM_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct apm apm;
// apm_new returns NULL if the library refuses.
apm *apm_new(int delay_ms);
void apm_free(apm *);
// Both take 10 ms at 48 kHz, mono, and return 0 or the library's error. apm_heard works in place.
int apm_played(apm *, const int16_t *pcm);
int apm_heard(apm *, int16_t *pcm);
#ifdef __cplusplus
}
#endif
#endif

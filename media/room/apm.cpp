#include "apm.h"

#include <string.h>

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

namespace {
const int kRate = 48000;
const size_t kFrame = 480;  // 10 ms

void fill(webrtc::AudioFrame *f, const int16_t *pcm) {
  f->UpdateFrame(0, 0, pcm, kFrame, kRate, webrtc::AudioFrame::kNormalSpeech, webrtc::AudioFrame::kVadUnknown, 1);
}
}  // namespace

struct apm {
  webrtc::AudioProcessing *p;
  webrtc::AudioFrame far, near;
  int delay_ms;
};

apm *apm_new(int delay_ms) {
  webrtc::Config config;
  config.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));  // long and changing ways, as of USB devices
  config.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(true));    // ALSA's own word on delays is not to be relied on
  webrtc::AudioProcessing *p = webrtc::AudioProcessing::Create(config);
  if (p == NULL) return NULL;
  if (p->high_pass_filter()->Enable(true) != 0 || p->echo_cancellation()->enable_drift_compensation(false) != 0 ||
      p->echo_cancellation()->set_suppression_level(webrtc::EchoCancellation::kModerateSuppression) != 0 ||
      p->echo_cancellation()->Enable(true) != 0 ||
      p->noise_suppression()->set_level(webrtc::NoiseSuppression::kModerate) != 0 || p->noise_suppression()->Enable(true) != 0) {
    delete p;
    return NULL;
  }
  const webrtc::StreamConfig mono(kRate, 1, false);
  const webrtc::ProcessingConfig all = {{mono, mono, mono, mono}};
  if (p->Initialize(all) != 0) {
    delete p;
    return NULL;
  }
  apm *a = new apm;
  a->p = p;
  a->delay_ms = delay_ms;
  return a;
}

void apm_free(apm *a) {
  delete a->p;
  delete a;
}

int apm_played(apm *a, const int16_t *pcm) {
  fill(&a->far, pcm);
  return a->p->ProcessReverseStream(&a->far);
}

int apm_heard(apm *a, int16_t *pcm) {
  fill(&a->near, pcm);
  a->p->set_stream_delay_ms(a->delay_ms);
  int err = a->p->ProcessStream(&a->near);
  if (err == 0) memcpy(pcm, a->near.data_, kFrame * sizeof(int16_t));
  return err;
}

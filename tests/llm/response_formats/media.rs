//! Images, audio and moderation of OpenAI and Mistral.

use crate::response_formats::{Row, check, events, stream, whole};

const IMAGES: &str = "/v1/images/generations";
const EDITS: &str = "/v1/images/edits";
const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";
const TRANSLATIONS: &str = "/v1/audio/translations";
const SPEECH: &str = "/v1/audio/speech";
const MODERATIONS: &str = "/v1/moderations";

/// A request with a file is a multipart form.
const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-x\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\nID3\r\n--b--\r\n";
const STREAMED_FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-x-transcribe\r\n--b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--b--\r\n";

#[test]
fn images_are_understood() {
    const USAGE: &str = r#"{"created":1,"data":[{"b64_json":"AAAA"},{"b64_json":"AAAA"}],"usage":{"total_tokens":100,"input_tokens":40,"output_tokens":60,"input_tokens_details":{"text_tokens":10,"image_tokens":30},"output_tokens_details":{"image_tokens":60,"text_tokens":0}}}"#;
    const PART: &str =
        r#"{"type":"image_generation.partial_image","b64_json":"AAAA","partial_image_index":0}"#;
    const DONE: &str = r#"{"type":"image_generation.completed","b64_json":"AAAA","usage":{"total_tokens":100,"input_tokens":40,"output_tokens":60,"input_tokens_details":{"text_tokens":10,"image_tokens":30}}}"#;
    const EDITED: &str = r#"{"type":"image_edit.completed","b64_json":"AAAA","usage":{"total_tokens":100,"input_tokens":40,"output_tokens":60,"input_tokens_details":{"text_tokens":10,"image_tokens":30}}}"#;
    check([
        whole(
            "with tokens [docs]",
            IMAGES,
            USAGE,
            "success 40 60 image_input=30 image_output=60",
        ),
        Row {
            request: FORM,
            ..whole(
                "edited [docs]",
                EDITS,
                USAGE,
                "success 40 60 image_input=30 image_output=60",
            )
        },
        whole(
            "without tokens [docs]",
            IMAGES,
            r#"{"created":1,"data":[{"url":"https://localhost/usage","revised_prompt":"a"}]}"#,
            "success . . -not_reported",
        ),
        stream(
            "in parts [docs]",
            IMAGES,
            events(&[PART, PART, DONE]),
            "success 40 60 image_input=30 first",
        ),
        stream(
            "edited, in parts [docs]",
            EDITS,
            events(&[
                r#"{"type":"image_edit.partial_image","b64_json":"AAAA","partial_image_index":0}"#,
                EDITED,
            ]),
            "success 40 60 image_input=30 first",
        ),
        stream(
            "in parts, cut [docs]",
            IMAGES,
            events(&[PART]),
            "truncated(truncated) . . first -truncated",
        ),
        Row {
            status: 400,
            ..whole(
                "against the rules [unverified]",
                IMAGES,
                r#"{"error":{"message":"secret","type":"image_generation_user_error","param":null,"code":"moderation_blocked"}}"#,
                "error(content_filter) . .",
            )
        },
    ]);
}

#[test]
fn transcriptions_are_understood() {
    let row = |name, body: &str, learnt| Row {
        request: FORM,
        ..whole(name, TRANSCRIPTIONS, body, learnt)
    };
    let text = |name, kind, path, body: &str| Row {
        request: FORM,
        kind,
        ..whole(name, path, body, "success . . -not_reported")
    };
    check([
        row(
            "by tokens [docs]",
            r#"{"text":"hi","usage":{"type":"tokens","input_tokens":13,"input_token_details":{"text_tokens":9,"audio_tokens":4},"output_tokens":44,"total_tokens":57}}"#,
            "success 13 44 audio_input=4",
        ),
        row(
            "by time [docs]",
            r#"{"text":"hi","usage":{"type":"duration","seconds":27}}"#,
            "success . . audio_seconds=27",
        ),
        row(
            "by time, which need not be whole, and with much else [docs]",
            r#"{"task":"transcribe","language":"english","duration":8.4000002,"text":"hi","segments":[{"id":0,"tokens":[1,2],"text":"usage","avg_logprob":-0.2}],"usage":{"type":"duration","seconds":8.7}}"#,
            "success . . audio_seconds=9",
        ),
        row(
            "in segments by who speaks, by tokens [docs]",
            r#"{"task":"transcribe","duration":27.4,"text":"hi","segments":[{"type":"transcript.text.segment","speaker":"A","text":"hi"}],"usage":{"type":"tokens","input_tokens":14,"output_tokens":45}}"#,
            "success 14 45",
        ),
        row(
            "a time that is less than nothing [unverified]",
            r#"{"text":"hi","usage":{"type":"duration","seconds":-1}}"#,
            "success . . -invalid",
        ),
        row(
            "nothing is told [docs]",
            r#"{"text":"hi"}"#,
            "success . . -not_reported",
        ),
        row(
            "a length is told, but nothing is billed [docs]",
            r#"{"task":"transcribe","language":"english","duration":8.47,"text":"hi","segments":[]}"#,
            "success . . -not_reported",
        ),
        row(
            "Mistral's: the seconds, and the tokens beside them [src]",
            r#"{"model":"m","text":"hi","language":null,"segments":[],"usage":{"prompt_audio_seconds":61,"prompt_tokens":4,"completion_tokens":120,"total_tokens":124}}"#,
            "success 4 120 audio_seconds=61",
        ),
        row(
            "Groq's [docs]",
            r#"{"text":"hi","x_groq":{"id":"r"}}"#,
            "success . . -not_reported",
        ),
        text(
            "as text [docs]",
            "text/plain; charset=utf-8",
            TRANSCRIPTIONS,
            "data: hi\n",
        ),
        text(
            "as text that begins like JSON [unverified]",
            "text/plain; charset=utf-8",
            TRANSCRIPTIONS,
            "{ error: \"quota\" } he said\n",
        ),
        text(
            "as SRT [docs]",
            "text/plain; charset=utf-8",
            TRANSCRIPTIONS,
            "1\n00:00:00,000 --> 00:00:01,000\nhi\n\n",
        ),
        text(
            "as VTT [docs]",
            "text/vtt; charset=utf-8",
            TRANSCRIPTIONS,
            "WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n\n",
        ),
        text(
            "translated [docs]",
            "application/json",
            TRANSLATIONS,
            r#"{"text":"hi"}"#,
        ),
        text(
            "translated, as text [docs]",
            "text/plain; charset=utf-8",
            TRANSLATIONS,
            "hi\n",
        ),
        Row {
            status: 400,
            ..row(
                "a file that is none [docs]",
                r#"{"error":{"message":"Invalid file format.","type":"invalid_request_error","param":null,"code":null}}"#,
                "error(invalid_request) . .",
            )
        },
    ]);
}

#[test]
fn streams_of_transcriptions_are_understood() {
    const DELTA: &str = r#"{"type":"transcript.text.delta","delta":"hi","logprobs":[]}"#;
    const SEGMENT: &str = r#"{"type":"transcript.text.segment","id":"s","start":0.0,"end":1.2,"text":"hi","speaker":"A"}"#;
    const DONE: &str = r#"{"type":"transcript.text.done","text":"hi","logprobs":[],"usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":31,"total_tokens":45}}"#;
    let row = |name, data: &[&str], learnt| Row {
        request: STREAMED_FORM,
        ..stream(name, TRANSCRIPTIONS, events(data), learnt)
    };
    check([
        row(
            "by tokens [docs]",
            &[DELTA, DELTA, DONE],
            "success 14 31 audio_input=14 first",
        ),
        row(
            "by tokens, with a mark of the end [unverified]",
            &[DELTA, DONE, "[DONE]"],
            "success 14 31 audio_input=14 first",
        ),
        row(
            "in segments [docs]",
            &[SEGMENT, DONE],
            "success 14 31 audio_input=14 first",
        ),
        row(
            "by time [src]",
            &[
                DELTA,
                r#"{"type":"transcript.text.done","text":"hi","usage":{"type":"duration","seconds":27}}"#,
            ],
            "success . . first audio_seconds=27",
        ),
        row(
            "nothing is told [src]",
            &[DELTA, r#"{"type":"transcript.text.done","text":"hi"}"#],
            "success . . first -not_reported",
        ),
        row(
            "cut [docs]",
            &[DELTA],
            "truncated(truncated) . . first -truncated",
        ),
    ]);
}

#[test]
fn speech_is_understood() {
    const DELTA: &str = r#"{"type":"speech.audio.delta","audio":"AAAA"}"#;
    const DONE: &str = r#"{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}"#;
    const ASK: &str = r#"{"model":"m","input":"hi","voice":"alloy"}"#;
    let sound = |name, kind, body: &[u8]| Row {
        request: ASK,
        kind,
        ..whole(name, SPEECH, body, "success . . -not_reported")
    };
    let row = |name, data: &[&str], learnt| Row {
        request: r#"{"model":"m","input":"hi","voice":"alloy","stream_format":"sse"}"#,
        ..stream(name, SPEECH, events(data), learnt)
    };
    check([
        sound(
            "as sound [docs]",
            "audio/mpeg",
            b"ID3\x04\0\0\xFF\xFB\x90\0",
        ),
        sound(
            "as sound that looks like an event [unverified]",
            "audio/pcm",
            b"data: {\"error\":{\"code\":429}}\n\n",
        ),
        sound(
            "as sound of no kind [unverified]",
            "application/octet-stream",
            b"OggS\0\x02",
        ),
        row(
            "as events [docs]",
            &[DELTA, DELTA, DONE],
            "success 14 101 first",
        ),
        row(
            "as events, cut [docs]",
            &[DELTA],
            "truncated(truncated) . . first -truncated",
        ),
        Row {
            request: ASK,
            status: 429,
            ..whole(
                "nothing is left [docs]",
                SPEECH,
                r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
                "error(quota) . .",
            )
        },
    ]);
}

#[test]
fn moderation_has_no_output() {
    let row = |name, body: &str, learnt| Row {
        request: r#"{"model":"m","input":"hi"}"#,
        ..whole(name, MODERATIONS, body, learnt)
    };
    check([
        row(
            "OpenAI's [docs]",
            r#"{"id":"m","model":"m","results":[{"flagged":true,"categories":{"violence":true},"category_scores":{"violence":0.9}}]}"#,
            "success . . -not_reported",
        ),
        row(
            "Mistral's [unverified]",
            r#"{"id":"m","model":"m","usage":{"prompt_tokens":9,"completion_tokens":0,"total_tokens":9},"results":[{"categories":{"sexual":false},"category_scores":{"sexual":1e-4}}]}"#,
            "success 9 .",
        ),
        row(
            "Mistral's, of its input alone [unverified]",
            r#"{"id":"m","usage":{"prompt_tokens":9,"total_tokens":9},"results":[]}"#,
            "success 9 .",
        ),
    ]);
}

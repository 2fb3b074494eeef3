"""Writes a language model of half a megabyte, with which the tests run a llama.cpp server.

usage: tiny_gguf.py FILE        (needs the packages gguf and numpy)

The weights are random, so the generated text is meaningless. The same seed gives the same file
and, at temperature 0, the same response. Two rules are set by hand:

- A response ends after the word "ok" and after ">". Otherwise every response would end at the
  token limit. A tool call ends with ">".
- A response starts with a tool call if the request offers tools. The server's grammar completes
  the call.

Each rule has one dimension of the embedding. Only its trigger tokens have a value there, and
only the token to generate next has an output weight for it.
"""

import sys

import gguf
import numpy as np

WIDTH, HIDDEN, HEADS, LAYERS, CONTEXT = 64, 128, 4, 2, 4096
END, CALL = 0, 1  # the dimensions of the two rules
RULES = 2

WORDS = (
    "the a of in is on latency count error queue server token cache rate"
    " metric counter gauge histogram one two three four five yes no ok"
).split()

TEMPLATE = """\
{%- if tools %}{{- 'tools:\\n' }}
{%- for tool in tools %}{{- tool | tojson + '\\n' }}{%- endfor %}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}
{{- 'assistant:' }}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments | tojson + '}</tool_call>' }}
{%- endfor %}
{{- '</s>\\n' }}
{%- else %}
{{- message.role + ':' + message.content + '\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- 'assistant:' }}{%- if tools %}{{- '<|call|>' }}{%- endif %}{%- endif %}
"""


def vocabulary():
    """Yields tokens with their scores and their token types of SentencePiece."""
    normal, unknown, control, user, byte = 1, 2, 3, 4, 6
    yield "<unk>", 0.0, unknown
    yield "<s>", 0.0, control
    yield "</s>", 0.0, control
    yield "<|call|>", 0.0, user
    yield "<tool_call>", 0.0, user
    for value in range(256):
        yield f"<0x{value:02X}>", 0.0, byte
    for rank, word in enumerate(WORDS):
        yield "\u2581" + word, -1.0 - rank, normal
    for letter in ["\u2581"] + [chr(code) for code in range(0x21, 0x7F)]:
        yield letter, -1000.0, normal


def main(path):
    tokens, scores, kinds = zip(*vocabulary())
    token = {text: index for index, text in enumerate(tokens)}
    random = np.random.default_rng(20)

    def weights(*shape, scale):
        return (random.standard_normal(shape) * scale).astype(np.float32)

    embedding = weights(len(tokens), WIDTH, scale=1.0)
    embedding[:, :RULES] = 0.0
    output = weights(len(tokens), WIDTH, scale=1.0)
    output[:, :RULES] = 0.0
    # Tokens with other characters than letters are generated only if the grammar requires them.
    for text, index in token.items():
        if not text.strip("\u2581").isalpha():
            output[index] = 0.0
    for rule, triggers, answer in (
        (END, ("\u2581ok", ">"), "</s>"),
        (CALL, ("<|call|>",), "<tool_call>"),
    ):
        for trigger in triggers:
            embedding[token[trigger], rule] = 40.0
        output[token[answer]] = 0.0
        output[token[answer], rule] = 20.0

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([text.encode() for text in tokens])
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(token["<unk>"])
    writer.add_bos_token_id(token["<s>"])
    writer.add_eos_token_id(token["</s>"])
    writer.add_chat_template(TEMPLATE)

    ones = np.ones(WIDTH, np.float32)
    writer.add_tensor("token_embd.weight", embedding)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        writer.add_tensor(block + "attn_norm.weight", ones)
        writer.add_tensor(block + "ffn_norm.weight", ones)
        for name in ("attn_q", "attn_k", "attn_v"):
            writer.add_tensor(f"{block}{name}.weight", weights(WIDTH, WIDTH, scale=0.2))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"{block}{name}.weight", weights(HIDDEN, WIDTH, scale=0.2))
        # The layers do not change the dimensions of the rules.
        for name, width in (("attn_output", WIDTH), ("ffn_down", HIDDEN)):
            added = weights(WIDTH, width, scale=0.2)
            added[:RULES] = 0.0
            writer.add_tensor(f"{block}{name}.weight", added)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])

# frozen_string_literal: true

require "openssl"
require "securerandom"
require "zlib"

module Cablestay
  # Encrypts and authenticates state for the way through the bridge (AES-256-GCM). A token opens only for the
  # connection and the subscription for which it was made.
  class Seal
    CIPHER = "aes-256-gcm"
    NONCE, TAG = 12, 16 # bytes
    PLAIN, DEFLATED = "p", "z"
    DEFLATE_FROM = 4096 # bytes; below, it costs more than the few bytes that it saves on the way to a neighbour

    # The keys of the connections that had events last: to derive one takes longer than to use it.
    class Keys
      MOST = 10_000

      def initialize
        @keys = Hash.new { |keys, key| keys[key] = {} }
        @digests = Hash.new { |digests, key| digests[key] = OpenSSL::HMAC.new(key, "SHA256") } # to make one takes longer than to use it, too
        @mutex = Mutex.new
      end

      def of(connection, key)
        @mutex.synchronize do
          keys = @keys[key]
          keys[connection] ||= begin
            keys.shift if keys.size >= MOST
            @digests[key].reset.update("connection #{connection}").digest
          end
        end
      end
    end

    @keys = Keys.new
    class << self
      attr_reader :keys
    end

    # A key for each connection: random nonces then never come near their limit.
    def initialize(connection, key: Secret.sealing_key)
      @key = Seal.keys.of(connection, key)
    end

    # +subject+ names what the state is of: a subscription's identifier, or nil for the connection.
    def seal(bytes, subject = nil)
      cipher = OpenSSL::Cipher.new(CIPHER).encrypt
      cipher.key = @key
      nonce = cipher.random_iv
      cipher.auth_data = about(subject)
      sealed = cipher.update(pack(bytes)) + cipher.final
      [ nonce + cipher.auth_tag(TAG) + sealed ].pack("m0")
    end

    # Raises UnreadableState.
    def open(token, subject = nil)
      token = token.unpack1("m0")
      raise UnreadableState, "too short" if token.bytesize <= NONCE + TAG

      unpack(decipher(token, subject))
    rescue ArgumentError
      raise UnreadableState, "not Base64"
    rescue OpenSSL::Cipher::CipherError
      raise UnreadableState, "not sealed by this app for this connection and subscription"
    end

    private
      def decipher(token, subject)
        cipher = OpenSSL::Cipher.new(CIPHER).decrypt
        cipher.key = @key
        cipher.iv = token.byteslice(0, NONCE)
        cipher.auth_tag = token.byteslice(NONCE, TAG)
        cipher.auth_data = about(subject)
        cipher.update(token.byteslice(NONCE + TAG..-1)) + cipher.final
      end

      def about(subject)
        subject ? "subscription #{subject}" : "connection"
      end

      def pack(bytes)
        deflated = Zlib::Deflate.deflate(bytes, Zlib::BEST_SPEED) if bytes.bytesize >= DEFLATE_FROM
        deflated && deflated.bytesize < bytes.bytesize ? DEFLATED.b + deflated : PLAIN.b + bytes
      end

      def unpack(packed)
        bytes = packed.byteslice(1..-1)
        packed.start_with?(DEFLATED) ? Zlib::Inflate.inflate(bytes) : bytes
      end
  end
end

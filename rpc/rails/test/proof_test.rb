# frozen_string_literal: true

class ProofTest < ActiveSupport::TestCase
  BODY = JSON.generate({ contract: 1, id: "event-1" })

  test "a request without a proof is refused" do
    assert_refused "no bearer token", authorization: nil
    assert_refused "no bearer token", authorization: "Basic YTpi"
    assert_refused "no bearer token", authorization: "Bearer"
  end

  test "a proof made with another secret is refused" do
    assert_refused "not a token signed", proof(secret: "another secret")
  end

  test "a proof that no one signed is refused" do
    assert_refused "not a token signed", JWT.encode(claims, nil, "none")
  end

  test "a proof signed with another algorithm is refused" do
    assert_refused "not a token signed", JWT.encode(claims, Cablestay::Secret.shared, "HS512")
    assert_refused "not a token signed", "no.token.at-all"
  end

  test "a proof that is no JWT at all is refused like any other, and logs no fault" do
    headers = [ "5", "[]", "null", "true", '{"alg":5}', '{"alg":["HS256"]}', "\xff" ].map { |header| base64(header) }
    tokens = headers.map { |header| "#{header}.#{base64("{}")}.AAAA" } + [ "\xff.\xff.\xff", "a.b.c.d", "..", "." ]

    tokens.each do |token|
      log = Log.of { assert_refused "not a token signed", token }
      assert_not_includes log, "hello failed", token.inspect
    end
  end

  test "claims that are not an object are refused, though the secret signed them" do
    [ "5", "[]", "null" ].each do |claims|
      signed = "#{base64('{"alg":"HS256"}')}.#{base64(claims)}"
      signature = OpenSSL::HMAC.digest("SHA256", Cablestay::Secret.shared, signed)
      assert_refused "", "#{signed}.#{base64(signature)}" # the words are those of the library's version
    end
  end

  { iss: [ "someone", "iss" ], aud: [ "cablestay", "aud" ], event: [ "perform", "event" ], jti: [ "event-2", "jti" ],
    digest: [ "0" * 64, "digest" ] }.each do |claim, (value, word)|
    test "a proof whose #{claim} is another's is refused" do
      assert_refused "claim #{word} ", proof(claim => value)
    end

    test "a proof without #{claim} is refused" do
      assert_refused "claim #{word} ", proof(claim => nil)
    end
  end

  %i[ iat exp ].each do |claim|
    test "a proof without #{claim} is refused" do
      assert_refused "claim #{claim} is not a time", proof(claim => nil)
    end
  end

  test "a proof is refused once it has expired, the leeway included" do
    now = Time.now.to_i
    assert_refused "expired", proof(iat: now - 120, exp: now - 31)
    assert_equal 200, post(proof(iat: now - 80, exp: now - 20)).status
  end

  test "a proof from the future is refused, but for the leeway" do
    now = Time.now.to_i
    assert_refused "issued in the future", proof(iat: now + 45, exp: now + 60)
    assert_equal 200, post(proof(iat: now + 20, exp: now + 80)).status
  end

  test "a proof that would be valid for long is refused" do
    assert_refused "too far away", proof(exp: Time.now.to_i + 3600)
  end

  test "an audience in a list, as some libraries write it, is accepted" do
    assert_equal 200, post(proof(aud: [ "cablestay-rails" ])).status
    assert_refused "claim aud", proof(aud: [ "cablestay-rails", "others" ])
  end

  test "a refusal is logged without the token" do
    token = proof(secret: "another secret")
    log = Log.of { post(token) }

    assert_includes log, "[Cablestay] refused hello from"
    assert_not_includes log, token
  end

  private
    def base64(bytes)
      [ bytes ].pack("m0").tr("+/", "-_").delete("=")
    end

    def proof(**claims)
      Bridge.proof("hello", BODY, "event-1", **claims)
    end

    def claims
      now = Time.now.to_i
      { iss: "cablestay", aud: "cablestay-rails", iat: now, exp: now + 60, jti: "event-1", event: "hello",
        digest: Digest::SHA256.hexdigest(BODY) }
    end

    def post(token)
      Bridge.new.post("hello", BODY, token)
    end

    def assert_refused(message, token = nil, authorization: "Bearer #{token}")
      answer = Bridge.new.post("hello", BODY, nil, HTTP_AUTHORIZATION: authorization)
      assert_equal 401, answer.status
      assert_includes answer["error"], message
      assert_equal 1, answer["contract"]
    end
end

# frozen_string_literal: true

class SealTest < ActiveSupport::TestCase
  KEY = "k" * 32

  def seal(connection = "connection-1", key: KEY)
    Cablestay::Seal.new(connection, key: key)
  end

  test "what is sealed is opened, short or long, and never looks the same twice" do
    [ "", "short", "long" * 1_000, "\xff\x00".b * 300 ].each do |bytes|
      tokens = Array.new(2) { seal.seal(bytes, "subject") }
      assert_equal [ bytes.b ] * 2, tokens.map { |token| seal.open(token, "subject").b }
      assert_equal 2, tokens.uniq.size
    end
  end

  test "it opens only for its connection, its subject and its key" do
    token = seal.seal("secret", "subject")

    assert_raises(Cablestay::UnreadableState) { seal.open(token, "another") }
    assert_raises(Cablestay::UnreadableState) { seal.open(token) }
    assert_raises(Cablestay::UnreadableState) { seal("connection-2").open(token, "subject") }
    assert_raises(Cablestay::UnreadableState) { seal(key: "l" * 32).open(token, "subject") }
  end

  test "keys are each connection's own, and only so many are kept" do
    keys = Cablestay::Seal::Keys.new
    first = keys.of("first", KEY)
    others = Array.new(Cablestay::Seal::Keys::MOST + 1) { |n| keys.of("connection-#{n}", KEY) }

    assert_equal others.size + 1, [ first, *others ].uniq.size
    assert_equal first, keys.of("first", KEY) # derived anew
    assert_equal Cablestay::Seal::Keys::MOST, keys.instance_variable_get(:@keys)[KEY].size
  end

  test "no byte of it can be changed" do
    token = seal.seal("secret").unpack1("m0")
    token.bytesize.times do |n|
      changed = token.dup.tap { |bytes| bytes.setbyte(n, bytes.getbyte(n) ^ 1) }
      assert_raises(Cablestay::UnreadableState) { seal.open([ changed ].pack("m0")) }
    end
  end

  test "what is no token at all is refused" do
    [ "", "!!!", "QUJD", "A" * 400 ].each do |token|
      assert_raises(Cablestay::UnreadableState, token) { seal.open(token) }
    end
  end

  test "it holds nothing readable" do
    assert_not_includes seal.seal("a very secret thing").unpack1("m0"), "secret"
  end
end

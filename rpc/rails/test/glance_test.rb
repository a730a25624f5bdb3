# frozen_string_literal: true

class GlanceTest < ActiveSupport::TestCase
  Glance = Cablestay::State::Glance

  setup { @ivars = { "@text": +"text", "@at": Time.utc(2026, 1, 2), "@n": 1, "@x": 1.5, "@name": :name, "@on": true, "@nothing": nil, "@f": "frozen".freeze } }

  test "says that nothing has changed" do
    assert glance.same?(saved)
  end

  {
    "another value" => -> { @ivars[:@n] = 2 },
    "another object that is equal" => -> { @ivars[:@text] = +"text" },
    "one more" => -> { @ivars[:@more] = nil },
    "one less" => -> { @ivars.delete(:@nothing) },
    "a string that was changed" => -> { @ivars[:@text] << "!" },
    "a string in another encoding" => -> { @ivars[:@text].force_encoding(Encoding::BINARY) },
    "a string that was frozen" => -> { @ivars[:@text].freeze },
    "a string with a variable of its own" => -> { @ivars[:@text].instance_variable_set(:@a, 1) },
    "a string with a method of its own" => -> { @ivars[:@text].define_singleton_method(:shout) { upcase } },
    "a time that is told in another zone" => -> { @ivars[:@at].localtime("+03:00") },
    "a time that was frozen" => -> { @ivars[:@at].freeze },
    "what Rails keeps" => -> { @streams = [ "more" ] }
  }.each do |what, change|
    test "sees #{what}" do
      seen = glance
      instance_exec(&change)
      refute seen.same?(saved)
    end
  end

  test "says nothing of what leads to more" do
    [ [], {}, Object.new, Class.new(String).new, Struct.new(:a).new, "s".dup.tap { |s| s.instance_variable_set(:@a, []) }, Time.find_zone("UTC").now,
      1.day, BasicObject.new ].each do |value|
      @ivars[:@value] = value
      assert_nil glance
    end
  end

  test "looks at all that it is given" do
    assert_nil Glance.at(saved, { ivars: { "@list": [] } })
    seen = Glance.at(saved, { ivars: { "@n": 1 } })
    assert seen.same?(saved, { ivars: { "@n": 1 } })
    refute seen.same?(saved, { ivars: { "@n": 2 } })
  end

  private
    def saved
      { counter: 0, streams: @streams, ivars: @ivars.dup }
    end

    def glance
      Glance.at(saved)
    end
end

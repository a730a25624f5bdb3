# frozen_string_literal: true

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table(:glanced_rooms) { |table| table.string :title }
  create_table(:glanced_doors) { |table| table.integer :glanced_room_id }
end

class GlancedRoom < ActiveRecord::Base
  has_many :doors, class_name: "GlancedDoor"
  attr_accessor :note
  validates :title, presence: true
end

class GlancedDoor < ActiveRecord::Base
  belongs_to :room, class_name: "GlancedRoom", foreign_key: :glanced_room_id
end

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

  {
    "a list that got longer" => -> { @list << 1 },
    "a list in a list that got longer" => -> { @list.last << 1 },
    "a list that was frozen" => -> { @list.last.freeze },
    "a list with a variable of its own" => -> { @list.instance_variable_set(:@a, 1) },
    "another list that is equal" => -> { @ivars[:@list] = @list.dup },
    "a string in a list that was changed" => -> { @list.first << "!" },
    "a string in a list that was frozen" => -> { @list.first.freeze },
    "one object in the place of two" => -> { @list[1] = @list[0] },
    "a hash that got more" => -> { @hash[:more] = 1 },
    "a hash with another order" => -> { @hash[:a] = @hash.delete(:a) },
    "a hash with another default" => -> { @hash.default = 1 },
    "a hash that was frozen" => -> { @hash.freeze },
    "an attribute that was set" => -> { @room.title = "den" },
    "an attribute that was changed in place" => -> { @room.title << "!" },
    "a record that was saved" => -> { @room.update!(title: "den") },
    "a record that was destroyed" => -> { @room.destroy },
    "a record that was frozen" => -> { @room.freeze },
    "another record of the same row" => -> { @ivars[:@room] = GlancedRoom.find(@room.id) },
    "what the app put into a record" => -> { @room.note = "quiet" },
    "what the app put into a record and froze" => -> { @door.room.note.freeze },
    "a hash of which the default was frozen" => -> { @hash.default.freeze },
    "what an association has loaded and was frozen" => -> { @room.association(:doors).target.freeze },
    "what a record had noted and was frozen" => -> { @door.room.instance_variable_get(:@_memo).freeze },
    "two variables of a record of which one thaws and the other freezes" => lambda {
      @door.room.instance_variable_set(:@other, @door.room.instance_variable_get(:@other).dup)
      @door.room.note.freeze
    },
    "errors of a record" => -> { @room.errors.add(:title, "is odd") },
    "what an association has loaded" => -> { @door.room.doors.load },
    "a change in what an association had loaded" => -> { @door.room.title = "den" },
    "a record that is read only now" => -> { @room.readonly! }
  }.each do |what, change|
    test "sees #{what}" do
      @list, @hash = [ +"text", +"text", [] ], { a: 1, b: [] }.tap { |hash| hash.default = +"none" }
      @room = GlancedRoom.create!(title: "attic").reload.tap { |room| room.doors.load }
      @door = GlancedDoor.create!(room: GlancedRoom.create!(title: "hall")).tap do |door|
        door.room.note = +"quiet"
        door.room.instance_variable_set(:@_memo, {})
        door.room.instance_variable_set(:@other, "other".freeze)
      end
      @room.title
      @ivars.merge!("@list": @list, "@hash": @hash, "@room": @room, "@door": @door)
      seen = glance
      assert seen.same?(saved)
      instance_exec(&change)
      refute seen.same?(saved)
    end
  end

  test "says nothing of what leads to more" do
    room = GlancedRoom.new.tap { |new| new.note = [] }
    [ Set.new, Object.new, Class.new(String).new, Struct.new(:a).new, "s".dup.tap { |s| s.instance_variable_set(:@a, []) }, Class.new(Array).new, Hash.new { },
      [ Object.new ], { a: Object.new }, room, Array.new(11) { GlancedRoom.new }, [ room ], Array.new(301) { +"" }, ActionController::Parameters.new, BasicObject.new ].each do |value|
      @ivars[:@value] = value
      assert_nil glance
    end
  end

  test "takes the values of Rails for what they are" do
    @ivars.merge!("@at": Time.find_zone("UTC").now, "@for": 1.day, "@on": Date.new(2026, 1, 2), "@sum": BigDecimal("1.5"), "@hash": { a: 1 }.with_indifferent_access)
    seen = glance
    @ivars[:@at].hour
    assert seen.same?(saved)
    @ivars[:@hash][:a] = 2
    refute seen.same?(saved)
  end

  test "looks at all that it is given" do
    assert_nil Glance.at(saved, { ivars: { "@thing": Object.new } })
    seen = Glance.at(saved, { ivars: { "@n": 1 } })
    assert seen.same?(saved, { ivars: { "@n": 1 } })
    refute seen.same?(saved, { ivars: { "@n": 2 } })
  end

  private
    def saved
      { counter: 0, streams: @streams, ivars: @ivars.dup }
    end

    # As Kept#see.
    def glance
      Cablestay::State::Records.keep_whole
      Glance.at(saved)
    end
end

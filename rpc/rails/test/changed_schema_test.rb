# frozen_string_literal: true

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table(:changing_rooms) { |table| table.string :name; table.string :color }
end

class ChangingRoom < ActiveRecord::Base
end

class ChangingChannel < ActionCable::Channel::Base
  class << self
    attr_accessor :keep
  end

  def keep
    @kept = instance_exec(&self.class.keep)
    transmit({ kept: true })
  end

  def look
    transmit({ name: Array(@kept).last.name })
  end
end

# A deploy between two events: a record of other columns would be half a record.
class ChangedSchemaTest < ActiveSupport::TestCase
  setup do
    @columns = ChangingRoom.column_names
    @room = ChangingRoom.create!(name: "blue", color: "blue")
    @client = Bridge.new.client
    @client.subscribe("ChangingChannel")
  end

  teardown do
    change { remove_column :changing_rooms, :size } if ChangingRoom.column_names.include?("size")
    change { add_column :changing_rooms, :color, :string } unless ChangingRoom.column_names.include?("color")
  end

  test "a record whose table has lost a column is not restored, and the client comes again" do
    keep { ChangingRoom.find_by(name: "blue") }
    change { remove_column :changing_rooms, :color }

    assert_starts_afresh(/changing_rooms has no column color any more/)
  end

  test "a record whose table has got a column is not restored either" do
    keep { ChangingRoom.find_by(name: "blue") }
    change { add_column :changing_rooms, :size, :integer }

    assert_starts_afresh(/changing_rooms has a new column size/)
  end

  test "that is so for records inside other objects and for loaded relations" do
    [ -> { { rooms: [ Struct.new("Holding", :room).new(ChangingRoom.last) ] }.values.flatten }, -> { ChangingRoom.all.load } ].each do |kept|
      keep(&kept)
      change { add_column :changing_rooms, :size, :integer }
      assert_starts_afresh(/a new column size/)
      change { remove_column :changing_rooms, :size }
    end
  end

  test "what a select of the app's own adds is no column, and what it leaves out is none that was dropped" do
    keep { ChangingRoom.select("changing_rooms.id, 'red' AS name, 1 AS one").last }

    assert_equal [ { "name" => "red" } ], @client.perform("ChangingChannel", "look").messages
  end

  test "a record whose class is gone is not restored" do
    Object.const_set(:FleetingRoom, Class.new(ActiveRecord::Base) { self.table_name = "changing_rooms" })
    keep { FleetingRoom.last }
    Object.send(:remove_const, :FleetingRoom)

    assert_starts_afresh(/FleetingRoom/)
  end

  test "a struct that has other members by now is not restored" do
    Object.const_set(:Fleeting, Struct.new(:name))
    keep { Fleeting.new("a") }
    Object.send(:remove_const, :Fleeting)
    Object.const_set(:Fleeting, Struct.new(:title, :name))

    assert_starts_afresh(/Fleeting/)
  ensure
    Object.send(:remove_const, :Fleeting)
  end

  private
    def keep(&block)
      ChangingChannel.keep = block
      assert_equal [ { "kept" => true } ], @client.perform("ChangingChannel", "keep").messages
    end

    def change(&block)
      ActiveRecord::Schema.define(&block)
      ChangingRoom.reset_column_information
    end

    def assert_starts_afresh(reason)
      answer = nil
      log = Log.of { answer = @client.perform("ChangingChannel", "look") }

      assert_equal [ { "type" => "disconnect", "reason" => nil, "reconnect" => true } ], answer.frames
      assert_match(/can't restore .*: .*#{reason}.*; the client is told to reconnect/, log)
      @client.subscribe("ChangingChannel")
    end
end

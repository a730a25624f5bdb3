# frozen_string_literal: true

require "global_id"

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define { create_table(:people) { |table| table.string :name } }

class Person < ActiveRecord::Base
  include GlobalID::Identification
end

class PersonalConnection < ActionCable::Connection::Base
  identified_by :person

  def connect
    self.person = Person.find_by(name: request.params[:user])
  end
end

class PersonalChannel < ActionCable::Channel::Base
  def subscribed
    @who = person
  end

  def look
    transmit({ who: @who.name, same: @who.equal?(connection.person) })
  end

  def become(data)
    connection.person = Person.find_by(name: data["name"])
  end

  def unsubscribed
    transmit({ left: @who.name })
  end
end

# Records that identify a connection are kept once, by it, for all of its channels.
class IdentifyingRecordsTest < ActiveSupport::TestCase
  setup do
    GlobalID.app ||= "dummy"
    %w[ ann bob ].each { |name| Person.find_or_create_by!(name: name) }
    @before = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { PersonalConnection }
    @client = Bridge.new.client
    2.times { |n| @client.subscribe("PersonalChannel", n: n) }
  end

  teardown { ActionCable.server.config.connection_class = @before }

  test "a channel that keeps one has the connection's own object" do
    assert_equal [ { "who" => "ann", "same" => true } ], look(0)
  end

  test "a channel keeps the one it had when another channel gives the connection another" do
    @client.perform("PersonalChannel", "become", { n: 0 }, name: "bob")

    assert_equal [ [ { "who" => "ann", "same" => false } ] ] * 2, [ look(0), look(1) ]
  end

  test "a channel keeps the one it had when the connection has none any more" do
    @client.perform("PersonalChannel", "become", { n: 0 }, name: "nobody")

    assert_equal [ { "who" => "ann", "same" => false } ], look(1)
    assert_equal [ { "left" => "ann" } ], @client.unsubscribe("PersonalChannel", n: 1).messages
  end

  private
    def look(n)
      @client.perform("PersonalChannel", "look", { n: n }).messages
    end
end

# frozen_string_literal: true

# The same with rspec-rails.
require_relative "../config/environment"
require "rspec/rails"

RSpec.describe Chats::AppearancesChannel, type: :channel do
  it "streams for a member" do
    subscribe member: "1"
    expect(subscription).to be_confirmed
    expect(subscription).to have_stream_for(Member.find("1"))
  end

  it "rejects without a member" do
    subscribe
    expect(subscription).to be_rejected
  end

  it "broadcasts to a member" do
    expect { described_class.broadcast_to(Member.find("1"), { seen: true }) }.to have_broadcasted_to(Member.find("1")).with({ seen: true })
  end
end

RSpec.describe PresenceChannel, type: :channel do
  before { stub_connection user: "ann", device: "phone" }

  it "broadcasts who joined" do
    expect { subscribe room: "lobby" }.to have_broadcasted_to("presence_lobby").with({ joined: "phone" })
    expect(subscription).to have_stream_from("presence_lobby")
  end
end

class GuestConnection < ActionCable::Connection::Base
  identified_by :user

  def connect
    self.user = cookies[:user] || reject_unauthorized_connection
  end
end

RSpec.describe GuestConnection, type: :channel do
  it "connects those who have a cookie" do
    cookies[:user] = "ann"
    connect "/cable"
    expect(connection.user).to eq("ann")
  end

  it "rejects those who have none" do
    expect { connect "/cable" }.to have_rejected_connection
  end
end

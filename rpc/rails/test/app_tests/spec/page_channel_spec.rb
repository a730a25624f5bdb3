# frozen_string_literal: true

require_relative "rails_helper"

RSpec.describe PageChannel, type: :channel do
  let(:user) { User.new(7, "user 7") }

  before { stub_connection(current_user: user) }

  it "confirms and streams" do
    subscribe(page: 1, mine: true)

    expect(subscription).to be_confirmed
    expect(subscription).to have_stream_from("page_1")
    expect(subscription).to have_stream_for(user)
    expect(subscription).not_to have_stream_from("page_2")
  end

  it "rejects" do
    subscribe
    expect(subscription).to be_rejected
  end

  it "broadcasts" do
    subscribe(page: 1)
    expect { perform :write, text: "hello" }.to have_broadcasted_to("page_1").with(by: "user 7", text: "hello")
    expect { perform :write, text: "hello" }.to have_broadcasted_to(user).from_channel(PageChannel).with(written: "hello")
    expect { 2.times { perform :write, text: "hello" } }.to have_broadcasted_to("page_1").twice
    expect { perform :write, text: "hello" }.to have_broadcasted_to("page_1").with { |data| expect(data["text"]).to eq("hello") }
    expect { perform :receive, text: "hello" }.not_to have_broadcasted_to("page_1")
    expect { expect { perform :receive, text: "x" }.to have_broadcasted_to("page_1") }.to raise_error(RSpec::Expectations::ExpectationNotMetError)
  end

  it "transmits" do
    subscribe(page: 1)
    perform :write, text: "hello"
    expect(transmissions.last).to eq("lines" => [ "hello" ])
  end

  it "unsubscribes" do
    subscribe(page: 1)
    subscription.unsubscribe_from_channel
    expect(subscription).not_to have_streams
  end
end

RSpec.describe ApplicationCable::Connection, type: :channel do
  it "connects" do
    cookies.signed[:user_id] = 3
    connect "/cable"
    expect(connection.current_user.id).to eq(3)
  end

  it "rejects" do
    expect { connect "/cable" }.to have_rejected_connection
  end

  it "disconnects" do
    connect "/cable?user_id=4"
    expect { disconnect }.to change { described_class.left.count(4) }.by(1)
  end
end

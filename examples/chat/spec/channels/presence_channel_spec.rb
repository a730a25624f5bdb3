# frozen_string_literal: true

RSpec.describe PresenceChannel, type: :channel do
  let(:user) { create(:user, name: "Ada") }
  let(:broadcasting) { "presence_org_#{user.organization.id}" }

  before { stub_connection current_user: user, current_account: user.account, connection_id: "one" }

  it "marks the user online, tells the organization and transmits the list" do
    expect { subscribe }.to have_broadcasted_to(broadcasting)
      .with(hash_including(type: "presence_update", user_name: "Ada", status: "online"))

    expect(subscription).to have_stream_from(broadcasting)
    expect(transmissions.last["type"]).to eq("presence_list")
    expect(transmissions.last["users"]).to contain_exactly(hash_including("name" => "Ada", "status" => "online"))
  end

  it "rejects a user without an organization" do
    stub_connection current_user: create(:user, organization: nil), current_account: nil, connection_id: "one"
    subscribe

    expect(subscription).to be_rejected
  end

  it "changes the status to one that exists" do
    subscribe

    expect { perform :update_status, status: "busy" }.to have_broadcasted_to(broadcasting).with(hash_including(status: "busy"))
    expect { perform :update_status, status: "asleep" }.not_to have_broadcasted_to(broadcasting)
    expect(OrganizationPresence.new(user.organization).status_of(user)).to eq("busy")
  end

  it "lets a heartbeat keep the user on the list" do
    subscribe
    key = "presence:org:#{user.organization.id}"
    $redis.hset(key, "#{user.id}:one", 10.minutes.ago.to_i)

    expect { perform :heartbeat }.to change { OrganizationPresence.new(user.organization).online?(user) }.from(false).to(true)
    expect($redis.ttl(key)).to be_within(5).of(300)
  end

  it "marks the user offline when the last connection leaves" do
    subscribe

    expect { subscription.unsubscribe_from_channel }.to have_broadcasted_to(broadcasting).with(hash_including(status: "offline"))
    expect(OrganizationPresence.new(user.organization).list).to be_empty
  end
end

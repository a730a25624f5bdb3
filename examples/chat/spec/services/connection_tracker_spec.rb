# frozen_string_literal: true

RSpec.describe ConnectionTracker do
  include ActionCable::TestHelper

  let(:user) { create(:user) }

  it "ends every connection of a user, each by all of its identifiers" do
    ConnectionTracker.add(user: user, connection_id: "one")
    ConnectionTracker.add(user: user, connection_id: "two")

    ConnectionTracker.disconnect_all(user)

    %w[one two].each do |id|
      identifiers = [ user.to_gid_param, user.account.to_gid_param, id ].sort.join(":")
      assert_broadcasts "action_cable/#{identifiers}", 1
    end
  end
end

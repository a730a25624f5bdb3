# frozen_string_literal: true

RSpec.describe User, type: :model do
  let!(:user) { create(:user, email: "ada@example.test", password: "let-me-in") }

  it "is found by email and password" do
    expect(User.authenticate(" Ada@example.test ", "let-me-in")).to eq(user)
  end

  it "is not found by a wrong password, a wrong email or none" do
    expect(User.authenticate("ada@example.test", "let-me-out")).to be_nil
    expect(User.authenticate("eve@example.test", "let-me-in")).to be_nil
    expect(User.authenticate(nil, nil)).to be_nil
  end

  it "ends its Warden sessions with its password" do
    expect { user.update!(password: "another") }.to change(user, :authenticatable_salt)
  end
end
